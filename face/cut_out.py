"""A square around a face, or all of a photo, for models that look at the picture itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

AROUND = 2.0  # side of the cut-out in lengths of the face box: hair and jaw are in it
ROOM = 0.25  # how far what counts as face reaches beyond the box, in parts of it on each side
# In longer sides of the face's box, some 17 cm: shoulders of large men are 56 cm wide, 3.3; sleeves have the rest.
HEAD_WIDE, BODY_WIDE = 2.0, 4.0
FACE, FIGURE = "face", "figure"


class Cut(NamedTuple):
    """What is shown of a photo.

    picture : uint8 [h, w, 3]
    box     : x0, y0, x1, y1 of its face in the pixels of `picture`, float64 [4], or None
    """

    picture: np.ndarray
    box: np.ndarray | None


def cut_out(
    picture: np.ndarray, box: Sequence[float] | None, size: int, around: float = AROUND
) -> tuple[np.ndarray, np.ndarray]:
    """A square around a face, and where the face is in it.

    picture : uint8 [H, W, 3]
    box     : x0, y0, x1, y1 in pixels, or None for the middle of the whole picture, all of which counts as face
    around  : side of the square in lengths of the box; less where the picture ends
    returns uint8 [size, size, 3] and bool [size, size]
    """
    cut = square(picture, box, size, around)
    return cut.picture, part_of(cut, FACE)


def square(picture: np.ndarray, box: Sequence[float] | None, size: int, around: float = AROUND) -> Cut:
    """A square around a face, of `size` pixels a side; the arguments are those of `cut_out`."""
    import cv2

    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box if box is not None else (0, 0, width, height)
    side = min(max(x1 - x0, y1 - y0) * (around if box is not None else 1.0), height, width)
    left = float(np.clip((x0 + x1 - side) / 2, 0, width - side))
    top = float(np.clip((y0 + y1 - side) / 2, 0, height - side))
    shrinking = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    inside = picture[round(top) : round(top + side), round(left) : round(left + side)]
    cut = cv2.resize(np.ascontiguousarray(inside), (size, size), interpolation=shrinking)
    moved = (np.asarray(box, np.float64) - [left, top, left, top]) * (size / side) if box is not None else None
    return Cut(cut, moved)


def whole(picture: np.ndarray, box: Sequence[float] | None, size: int, multiple: int = 16) -> Cut:
    """All of a picture, uint8 [H, W, 3], of about the area of a square of `size`, its sides multiples of a number."""
    import cv2

    height, width = picture.shape[:2]
    scale = size / (height * width) ** 0.5
    sides = [max(multiple, round(side * scale / multiple) * multiple) for side in (width, height)]
    shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    cut = cv2.resize(np.ascontiguousarray(picture), tuple(sides), interpolation=shrinking)
    factors = np.array([sides[0] / width, sides[1] / height] * 2)
    return Cut(cut, np.asarray(box, np.float64) * factors if box is not None else None)


def part_of(cut: Cut, part: str) -> np.ndarray:
    """Where a part of the person is: bool [h, w]; everywhere where the box is not known.

    part : FACE, an ellipse around the box; or FIGURE, the head with room for hair and everything below it as wide as
           shoulders are, of somebody upright
    """
    height, width = cut.picture.shape[:2]
    if cut.box is None:
        return np.ones((height, width), dtype=bool)
    (x, y), (wide, high) = (cut.box[:2] + cut.box[2:]) / 2, cut.box[2:] - cut.box[:2]
    row, column = np.mgrid[:height, :width] + 0.5
    if part == FACE:
        half = np.array([wide, high]) * (0.5 + ROOM)
        return ((column - x) / half[0]) ** 2 + ((row - y) / half[1]) ** 2 < 1
    reach = np.where(row < y + high / 2, HEAD_WIDE, BODY_WIDE) * max(wide, high) / 2
    return np.abs(column - x) < reach
