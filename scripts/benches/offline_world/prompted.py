"""Rows on the unpatched model: does it draw as many people as the prompt names, in those shirts, with those faces?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....demo.scenes import Scene, random_scenes
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Row
from .bounds import enough_for
from .people import generator_of, prompt_of
from .reading import PARTS, left_to_right, paired
from .workbench import Workbench

SEED = 7_300_001
COUNTS = (1, 2, 4)
BATCH = 8


def prompted_rows(bench: Workbench) -> list[Row]:
    """What is seen of what was prompted, over all pictures; people counted right, by how many were prompted."""
    bounds = bench.bounds

    def drawn(people: int) -> Values:
        return bench.samples.get(f"unpatched, {people}", lambda: drawn_as_prompted(bench, people))

    def seen(part: str) -> Row:
        bound = bounds.prompted if part != "look" else None
        return Row(
            f"unpatched: prompted {part} seen (1, 2 and 4 people)",
            "",
            lambda: bootstrap_figure([value for people in COUNTS for value in drawn(people)[part]]),
            bound,
            at_most=False,
            least_samples=enough_for(bounds.prompted),
        )

    def counted(people: int) -> Row:
        bound = bounds.counted[people]
        return Row(
            f"unpatched: people counted right, {people} prompted",
            "",
            lambda: bootstrap_figure(drawn(people)["counted"]),
            bound,
            at_most=False,
            least_samples=enough_for(bound),
        )

    return [*map(seen, ("shirt", "expression", "look")), *map(counted, COUNTS)]


def drawn_as_prompted(bench: Workbench, people: int) -> Values:
    """By picture: the share of people in whom each prompted part is seen, and whether there are as many as prompted."""
    values: Values = {name: [] for name in (*PARTS, "counted")}
    scene = random_scenes(bench.amounts.pictures, people, generator_of(SEED + people), props=0.0)
    for first in range(0, len(scene), BATCH):
        bench.status(f"unpatched, {people} people: {first} of {len(scene)} pictures")
        rows = range(first, min(first + BATCH, len(scene)))
        prompts = [prompt_of(scene, row) for row in rows]
        pictures = bench.host.pictures(bench.host.model, prompts, bench.size, SEED + first)
        for row, picture in zip(rows, pictures, strict=True):
            for name, value in seen_in(bench, picture, scene, row).items():
                values[name].append(value)
    return values


def seen_in(bench: Workbench, picture: np.ndarray, scene: Scene, row: int) -> dict[str, float]:
    """What one picture, uint8 [S, S, 3], shows of the scene that its prompt describes."""
    boxes = [face.bbox for face in bench.scorer.detect(picture)]
    boxes = [boxes[index] for index in left_to_right(boxes)]
    centres = [float(box[0] + box[2]) / 2 / picture.shape[1] for box in boxes]
    pairs = paired(centres, scene.figures)
    read = bench.reader.read(picture, boxes)
    shown = {part: [getattr(read[f], part) if f >= 0 else -1 for f in pairs] for part in PARTS}
    seen = {part: share_alike(shown[part], getattr(scene, part)[row].tolist()) for part in PARTS}
    return {**seen, "counted": float(len(boxes) == scene.figures)}


def share_alike(shown: Sequence[int], wanted: Sequence[int]) -> float:
    """The share of people who show what they should; -1, a person who was not found, is like nothing."""
    return sum(s == w for s, w in zip(shown, wanted, strict=True)) / len(wanted)
