"""Rows on rendered pictures, whose truth is known exactly: recogniser, detector and reader on unseen people."""

from __future__ import annotations

import numpy as np
import torch

from ....demo.people import new_identities
from ....demo.renderer import Rendered, render
from ....demo.scenes import MOST, Scene, photos, random_scenes
from ....face.onnx_engine import OnnxEngine
from ....measure.layout import box_iou
from ....measure.match import match_faces, similarity_matrix
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Row
from .bounds import enough_for
from .people import as_picture, generator_of
from .ratios import pooled_figure
from .reading import PARTS
from .workbench import RANKED, Workbench

SEED_PEOPLE, SEED_SCENES = 7_100_001, 7_200_001
OVERLAP = 0.5
A_FACE, WELL_VISIBLE = 0.1, 0.5  # visible shares: from where a found face is no false one, from where it must be found


def rendered_rows(bench: Workbench) -> list[Row]:
    """Five rows; what they rest on is rendered once."""
    people, bounds = bench.amounts.people, bench.bounds

    def ranked() -> Values:
        return bench.samples.get("recogniser", lambda: recognised(bench.scorer, people, bench.size))

    def scenes() -> Values:
        return bench.samples.get("scenes", lambda: scenes_looked_at(bench))

    return [
        Row(
            f"scoring recogniser: rank-1 of {people:,} unseen people",
            "",
            lambda: bootstrap_figure(ranked()["first"]),
            bounds.rank_one,
            at_most=False,
            least_samples=RANKED,
        ),
        Row(
            "detector: recall at IoU 0.5 of faces at least half visible",
            "",
            lambda: pooled_figure(scenes()["found"], scenes()["faces"]),
            bounds.recall,
            at_most=False,
            least_samples=enough_for(bounds.recall),
        ),
        Row(
            "detector: false faces per scene",
            "",
            lambda: bootstrap_figure(scenes()["false"]),
            bounds.false_faces,
            least_samples=enough_for(1 - bounds.false_faces),
        ),
        *(
            Row(
                f"reader: {part} of rendered people",
                "",
                lambda part=part: pooled_figure(scenes()[part], scenes()["read"]),
                bounds.reader,
                at_most=False,
                least_samples=enough_for(bounds.reader),
            )
            for part in PARTS
        ),
    ]


def recognised(engine: OnnxEngine, people: int, size: int) -> Values:
    """Two photos of each person: whether the second is nearest, of all first ones, to the first of the same person.

    Faces are found by the detector, the largest of a photo counts, and one that is not found is not recognised.
    """
    generator = generator_of(SEED_PEOPLE)
    who = new_identities(people, generator)
    gallery, probes = (_embedded(engine, photos(who, generator), size) for _ in range(2))
    known = [index for index, row in enumerate(gallery) if row is not None]
    asked = [index for index, row in enumerate(probes) if row is not None]
    first = np.zeros(people)
    if known and asked:
        cosine = similarity_matrix(np.stack([probes[i] for i in asked]), np.stack([gallery[i] for i in known]))
        first[asked] = np.array(known)[cosine.argmax(1)] == asked
    return {"first": first.tolist()}


def _embedded(engine: OnnxEngine, scene: Scene, size: int) -> list[np.ndarray | None]:
    found: list[np.ndarray | None] = []
    for rows in torch.arange(len(scene)).split(16):
        for image in render(scene[rows], size).picture:
            faces = engine.detect(as_picture(image))
            found.append(faces[0].embedding if faces else None)
    return found


def scenes_looked_at(bench: Workbench) -> Values:
    """By scene: faces well visible, how many of them are found, false ones; people read, and read right in each part.

    Read are people at least half visible whose face was found, by the box of the detector.
    """
    values: Values = {name: [] for name in ("faces", "found", "false", "read", *PARTS)}
    generator = generator_of(SEED_SCENES)
    for number in range(bench.amounts.scenes):
        scene = random_scenes(1, 1 + number % MOST, generator)
        drawn = render(scene, bench.size)
        picture = as_picture(drawn.picture[0])
        boxes = np.array([face.bbox for face in bench.scorer.detect(picture)]).reshape(-1, 4)
        truth, visible, figures = true_faces(drawn, scene, bench.size)
        matched = matched_boxes(boxes, truth)
        found = matched >= 0
        well = visible >= WELL_VISIBLE
        values["faces"].append(int(well.sum()))
        values["found"].append(int((found & well).sum()))
        values["false"].append(len(boxes) - int(found.sum()))
        readable = np.flatnonzero(found & well)
        read = bench.reader.read(picture, boxes[matched[readable]])
        values["read"].append(len(readable))
        for part in PARTS:
            true = getattr(scene, part)[0, figures[readable]].tolist()
            values[part].append(sum(getattr(r, part) == t for r, t in zip(read, true, strict=True)))
    return values


def true_faces(drawn: Rendered, scene: Scene, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces of which something is to be seen in the first scene: boxes [T, 4] in pixels, visible shares, figures."""
    visible = drawn.visible[0].numpy()
    figures = np.flatnonzero((visible >= A_FACE) & (scene.kind[0] == 0).numpy())
    return drawn.face_box[0].numpy()[figures] * size, visible[figures], figures


def matched_boxes(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """For each true box [T, 4] the index of its own found box [F, 4], or -1 where none overlaps it enough."""
    overlaps = box_iou(found, truth)
    matched = match_faces(np.where(overlaps >= OVERLAP, overlaps, 0.0))
    return np.array([f if f >= 0 and overlaps[f, t] >= OVERLAP else -1 for t, f in enumerate(matched)], int)
