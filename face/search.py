"""Faces of a picture by an engine: one look, or a ladder of looks that ends when one finds a face it is sure of.

A detector sees a little of a face in many things: on a photo that lies on its side the plain look often finds an unsure
face beside or across the real one. So an unsure face does not end the search; it stands unless a later look is surer.
"""

from __future__ import annotations

import numpy as np

from .alignment import aligned_crop
from .detector import Detections, rows_of, without_overlaps
from .engine import ONE_LOOK, Face, FaceEngine, Finding, Search
from .light import brightened, is_dim, well_lit
from .looks import Look, boxes_on_picture, looks, plain_look, points_on_picture, views

SURE = 0.9  # a score that ends the search; measured on rendered photos (bench `faces`)
SURER = 0.03  # by how much a later look must be surer than those before it
ALSO_SURE = 0.2  # faces this close to the surest, seen in an earlier look at the same turn, are kept beside it
MOST_FACES = 200  # the surest of a picture are described: a low threshold gives thousands
EMBEDDED_AT_ONCE = 16


def find_faces(engine: FaceEngine, image: np.ndarray, search: Search = ONE_LOOK) -> Finding:
    """The faces of a picture, uint8 [H, W, 3] RGB, with what was tried; from the engine's cache where it has one.

    Raises ValueError for a picture of another form or a threshold outside of 0..1.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"A picture for face detection is uint8 [H, W, 3], got {image.dtype} {list(image.shape)}.")
    if not 0 < search.threshold <= 1:
        raise ValueError(f"The threshold of face detection is above 0 and at most 1, got {search.threshold}.")
    if engine.cache is None:
        return climb(engine, image, search)
    return engine.cache.get(engine, image, search, lambda: climb(engine, image, search))


def climb(engine: FaceEngine, image: np.ndarray, search: Search) -> Finding:
    """Look until a face is found for sure, or every look was taken; the surest look is what was found."""
    best, best_look = usable(engine.locate(image, engine.size, search.threshold)), plain_look(engine.size)
    tried = [best_look.words]
    goes_on = search.ladder and surest(best) < SURE
    dim = goes_on and is_dim(image)
    bright = brightened(image) if dim else image
    for look in looks(engine.size, (image.shape[1], image.shape[0]), dim) if goes_on else ():
        if surest(best) >= SURE:
            break
        tried.append(look.words)
        found = usable(look_at(engine, bright if look.bright else image, look, search.threshold))
        if surest(found) > surest(best) + SURER * bool(len(best.boxes)):
            best, best_look = joined(found, best) if look.degrees == best_look.degrees else found, look
    return Finding(
        described(engine, image, best, search.ladder), tuple(tried), best_look.words if len(best.boxes) else ""
    )


def surest(found: Detections) -> float:
    return float(found.scores.max()) if len(found.scores) else 0.0


def joined(found: Detections, earlier: Detections) -> Detections:
    """The faces of a look, and those of an earlier one that are nearly as sure and were not found again."""
    kept = rows_of(earlier, earlier.scores >= surest(found) - ALSO_SURE)
    pairs = ((getattr(found, name), getattr(kept, name)) for name in ("boxes", "scores", "keypoints"))
    return without_overlaps(Detections(*(np.concatenate(pair) for pair in pairs)))


def look_at(engine: FaceEngine, image: np.ndarray, look: Look, threshold: float) -> Detections:
    """Faces that one look finds, in pixels of the picture, surest first."""
    picture = (image.shape[1], image.shape[0])
    boxes, scores, points = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)], [np.zeros((0, 5, 2), np.float32)]
    for view in views(image, look, engine.size, engine.fixed_size):
        seen = engine.locate(view.canvas, view.canvas.shape[1::-1], threshold)
        boxes.append(boxes_on_picture(seen.boxes, view, look.degrees, picture))
        points.append(points_on_picture(seen.keypoints, view, look.degrees, picture))
        scores.append(seen.scores)
    return without_overlaps(Detections(np.concatenate(boxes), np.concatenate(scores), np.concatenate(points)))


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
