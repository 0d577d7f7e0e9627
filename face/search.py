"""Faces of a picture by an engine: one detection pass, and a search where that pass is not sure of a face.

A face is sure when the detector prefers it upright (see turns.py), which holds whatever the scale of its scores, and
its score is not low. A pass that is sure ends the search, and its faces are the picture's: nothing is added from other
passes, so that people are numbered as one pass sees them. A photo that lies on its side is turned as the detector
prefers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .alignment import aligned_crop
from .detector import (
    SCORE_THRESHOLD,
    Detections,
    rows_of,
    without_overlaps,
)
from .engine import ONE_PASS, Face, FaceEngine, Finding, Search
from .light import brightened, is_dim, well_lit
from .passes import DetectionPass, boxes_on_picture, fallback_passes, plain_pass, points_on_picture, views
from .turns import EIGHTHS, turn_of

LEAST_SURE = 0.6  # of 130 photos two published detectors give 128 and 129 more, demo packs all upright ones
SURER = 0.03  # by how much a later pass must be surer than those before it, where none is sure
MOST_FACES = 200  # the surest of a picture are described: a low threshold gives thousands
EMBEDDED_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Taken:
    """A pass, what it found, and by how much its face wants the picture turned further (see turns.py).

    Its face is the largest, which is what mostly is taken.
    """

    how: DetectionPass
    found: Detections
    turn: int | None = None

    @property
    def face(self) -> int:
        return int(np.argmax((self.found.boxes[:, 2:] - self.found.boxes[:, :2]).prod(1)))

    @property
    def score(self) -> float:
        return float(self.found.scores[self.face]) if len(self.found.scores) else 0.0

    @property
    def sure(self) -> bool:
        return self.turn == 0 and self.score >= LEAST_SURE


def find_faces(engine: FaceEngine, image: np.ndarray, search: Search = ONE_PASS) -> Finding:
    """The faces of a picture, uint8 [H, W, 3] RGB, with what was tried; from the engine's cache where it has one.

    Raises ValueError for a picture of another form or a threshold outside of 0..1.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"A picture for face detection is uint8 [H, W, 3], got {image.dtype} {list(image.shape)}.")
    if not 0 < search.threshold <= 1:
        raise ValueError(f"The threshold of face detection is above 0 and at most 1, got {search.threshold}.")
    if engine.cache is None:
        return searched(engine, image, search)
    return engine.cache.get(engine, image, search, lambda: searched(engine, image, search))


def searched(engine: FaceEngine, image: np.ndarray, search: Search) -> Finding:
    """What one pass finds; where it is not sure, and a fallback is asked for, the first sure or the surest pass."""
    plain = plain_pass(engine.size)
    best = Taken(plain, usable(engine.locate(image, engine.size, search.threshold)))
    tried = [plain.words]
    if search.fallback:
        dim = is_dim(image)
        bright = brightened(image) if dim else image
        best = judged(engine, image, best)
        ahead = passes_after(best, engine, image, dim)
        while not best.sure and (how := next(ahead, None)) is not None:
            shown = bright if how.bright else image
            taken = judged(engine, shown, Taken(how, usable(found_by(engine, shown, how, search.threshold))))
            tried.append(how.words)
            if taken.sure or taken.score > best.score + SURER * bool(best.score):
                best = taken
    return Finding(
        described(engine, image, best.found, search.fallback),
        tuple(tried),
        best.how.words if best.score else "",
        sure=best.sure or not search.fallback,
    )


def judged(engine: FaceEngine, image: np.ndarray, taken: Taken) -> Taken:
    """The same with the turn that its face asks for."""
    if not taken.score:
        return taken
    box, keypoints = taken.found.boxes[taken.face], taken.found.keypoints[taken.face]
    return Taken(taken.how, taken.found, turn_of(engine, image, box, keypoints, taken.how.degrees))


def passes_after(first: Taken, engine: FaceEngine, image: np.ndarray, dim: bool) -> Iterator[DetectionPass]:
    """The passes of the fallback, those at the turn that the first pass's face asks for before the others.

    A clear face that asks for an eighth turn is a tilted head: nothing else is tried then.
    """
    others = list(fallback_passes(engine.size, (image.shape[1], image.shape[0]), dim))
    wanted = [how for how in others if first.turn and how.degrees == first.turn]
    yield from wanted
    if first.turn not in EIGHTHS or first.score < LEAST_SURE:
        yield from (how for how in others if how not in wanted)


def found_by(engine: FaceEngine, image: np.ndarray, how: DetectionPass, threshold: float) -> Detections:
    """Faces that one pass finds, in pixels of the picture, surest first."""
    picture = (image.shape[1], image.shape[0])
    boxes, scores, points = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)], [np.zeros((0, 5, 2), np.float32)]
    for view in views(image, how, engine.size, engine.fixed_size):
        seen = engine.locate(view.canvas, view.canvas.shape[1::-1], threshold)
        boxes.append(boxes_on_picture(seen.boxes, view, how.degrees, picture))
        points.append(points_on_picture(seen.keypoints, view, how.degrees, picture))
        scores.append(seen.scores)
    return without_overlaps(Detections(np.concatenate(boxes), np.concatenate(scores), np.concatenate(points)))


def with_more(engine: FaceEngine, image: np.ndarray, faces: list[Face], how: DetectionPass) -> list[Face]:
    """Faces of a picture and those beside them that another pass finds; the others come first, as they were.

    Where a face is already, a larger pass finds it again or parts of it.
    """
    found = usable(found_by(engine, image, how, SCORE_THRESHOLD))
    middles = (found.boxes[:, None, :2] + found.boxes[:, None, 2:]) / 2
    known = np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
    within = ((middles >= known[:, :2]) & (middles <= known[:, 2:])).all(-1).any(1)
    return [*faces, *described(engine, image, rows_of(found, ~within))]


def usable(found: Detections) -> Detections:
    """Those that can be aligned: finite, with an area, key points apart. Damaged files and noise give others, too."""
    finite = np.isfinite(found.boxes).all(1) & np.isfinite(found.keypoints).all((1, 2)) & np.isfinite(found.scores)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    return rows_of(found, finite & (sides > 0).all(1) & (np.ptp(found.keypoints, axis=1) > 0).any(1))


def described(engine: FaceEngine, image: np.ndarray, found: Detections, lit: bool = False) -> list[Face]:
    """The faces with crops and embeddings, largest box first; `lit` brightens dark crops."""
    found = rows_of(found, slice(0, MOST_FACES))
    if not len(found.boxes):
        return []
    crops = np.stack([aligned_crop(image, keypoints) for keypoints in found.keypoints])
    if lit:
        crops = np.stack([well_lit(crop, image) for crop in crops])
    parts = [engine.embed(crops[i : i + EMBEDDED_AT_ONCE]) for i in range(0, len(crops), EMBEDDED_AT_ONCE)]
    rows = zip(found.boxes, found.scores, found.keypoints, np.concatenate(parts), crops, strict=True)
    faces = [Face(box, float(score), *rest) for box, score, *rest in rows]
    return sorted(faces, key=lambda face: -np.prod(face.bbox[2:] - face.bbox[:2]))


def tried_words(engine: FaceEngine, tried: tuple[str, ...], threshold: float) -> str:
    """What a search did, for messages and reports."""
    return f"the detector of face pack '{engine.name}' {', '.join(tried)}, with a score of at least {threshold:g}"
