"""The reader of the offline world: expression, look and shirt of the people whose faces were found on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from ....demo.scenes import EXPRESSIONS, LOOKS, SHIRTS

SIDE = 96
WIDTH, DROP = 2.6, 0.55  # of a crop, and how far its centre lies below that of the face, in face heights
PARTS = ("expression", "look", "shirt")
ENDS = np.cumsum([len(EXPRESSIONS), len(LOOKS), len(SHIRTS)])


@dataclass(frozen=True)
class Read:
    """What one person shows, as indices into EXPRESSIONS, LOOKS and SHIRTS."""

    expression: int
    look: int
    shirt: int


class Reader:
    """reader.onnx of the offline world, on the CPU."""

    def __init__(self, file: Path):
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def read(self, picture: np.ndarray, boxes: Sequence[np.ndarray]) -> list[Read]:
        """What the people show whose face boxes [4] (xyxy, pixels) lie on a picture, uint8 [H, W, 3]."""
        if not len(boxes):
            return []
        crops = np.stack([person_crop(picture, box) for box in boxes])
        logits = self._session.run(None, {self._input: crops * 2 - 1})[0]
        parts = (part.argmax(1) for part in np.split(logits, ENDS[:-1], axis=1))
        return [Read(*map(int, row)) for row in zip(*parts, strict=True)]


def person_crop(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Head and shoulders as the reader was trained on them (demo/train/alignment.person_crops), float32 [3, 96, 96].

    picture : uint8 [H, W, 3]
    box     : xyxy pixels of the face; the crop is a square 2.6 face heights wide with the face in its upper half
    """
    height = box[3] - box[1]
    centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + DROP * height
    steps = ((np.arange(SIDE) + 0.5) / SIDE - 0.5) * WIDTH * height
    columns, across = _between(centre[0] + steps - 0.5, picture.shape[1])
    rows, down = _between(centre[1] + steps - 0.5, picture.shape[0])
    values = picture.astype(np.float32) / 255
    lines = values[rows] * (1 - down)[:, None, None] + values[rows + 1] * down[:, None, None]
    crop = lines[:, columns] * (1 - across)[None, :, None] + lines[:, columns + 1] * across[None, :, None]
    return crop.transpose(2, 0, 1).astype(np.float32)


def _between(at: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels before the given places and how far beyond them these lie; the border goes on outside the picture."""
    at = np.clip(at, 0, count - 1)
    before = np.minimum(at.astype(int), count - 2)
    return before, (at - before).astype(np.float32)


def left_to_right(boxes: Sequence[np.ndarray]) -> list[int]:
    """The order in which face boxes are read: by their centres, from the left."""
    return sorted(range(len(boxes)), key=lambda index: boxes[index][0] + boxes[index][2])


def paired(centres: Sequence[float], people: int) -> list[int]:
    """Which found face stands for each of the people a prompt names from left to right; -1 where there is none.

    centres : of the found faces across the picture, rising, in fractions of its width
    With as many faces as people they are taken in turn. Otherwise, their order kept, those are left out whose absence
    brings faces nearest to the places where that many people would stand evenly.
    """
    places = (np.arange(people) + 0.5) / people
    found, wanted = range(len(centres)), range(people)
    both = min(len(centres), people)
    fits = [(f, w) for f in combinations(found, both) for w in combinations(wanted, both)]
    faces, slots = min(fits, key=lambda fit: sum(abs(centres[f] - places[w]) for f, w in zip(*fit, strict=True)))
    of_slot = dict(zip(slots, faces, strict=True))
    return [of_slot.get(slot, -1) for slot in wanted]
