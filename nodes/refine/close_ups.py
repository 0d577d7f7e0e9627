"""Close-ups of faces: the square each one shows, who may change which pixel of it, and pasting it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

WIDE, ABOVE, BELOW = 1.3, 0.35, 0.1  # of a face's box: a head's width, the hair above, the chin's edge below


@dataclass(frozen=True)
class Square:
    """A square in whole pixels of a picture, which may reach beyond it: its left and top edge, and its side."""

    left: int
    top: int
    side: int

    def within(self, height: int, width: int) -> Part:
        """The part of it that lies in a picture of that size."""
        rows, columns = (
            slice(*(min(max(edge, 0), length) for edge in (first, first + self.side)))
            for first, length in ((self.top, height), (self.left, width))
        )
        return Part((rows, columns), (_moved(rows, -self.top), _moved(columns, -self.left)))


class Part(NamedTuple):
    """The same pixels, rows and columns, as the picture and as the square count them."""

    picture: tuple[slice, slice]
    square: tuple[slice, slice]


def square_around(box: Sequence[float], room: float) -> Square:
    """The square around a face: `room` times the longer side of its box, xyxy pixels, with the face in its middle."""
    x0, y0, x1, y1 = (float(edge) for edge in box)
    side = max(1, round(max(x1 - x0, y1 - y0) * room))
    return Square(round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side)


def cut(picture: np.ndarray, square: Square, size: int) -> np.ndarray:
    """The square of a picture, uint8 [H, W, 3], as a close-up, uint8 [size, size, 3].

    Beyond the picture its outermost pixels go on: the face stays in the middle, where models draw one.
    """
    rows, columns = (
        np.arange(first, first + square.side).clip(0, length - 1)
        for first, length in zip((square.top, square.left), picture.shape, strict=False)
    )
    return scaled(picture[rows[:, None], columns], size)


def scaled(close_up: np.ndarray, side: int) -> np.ndarray:
    """A square picture, uint8 [S, S, 3], at another size; Pillow's filter covers the whole area of each new pixel."""
    resized = Image.fromarray(np.ascontiguousarray(close_up)).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def head_in(square: Square, box: Sequence[float], feather: float) -> np.ndarray:
    """Where a head with its hair is in the square around its face, and the soft rim around it: bool [side, side].

    box     : of the face, xyxy pixels of the picture
    feather : as in `soft_edged`, whose weights are a half along the head's own outline
    A close-up draws the background anew, too: what lies beside the neck and above the shoulders is left as it was.
    """
    (x0, y0, x1, y1), rim = (float(edge) for edge in box), feather * square.side / 2
    width, height = x1 - x0, y1 - y0
    half = WIDE * width / 2 + rim, (ABOVE + 1 + BELOW) * height / 2 + rim
    middle = (x0 + x1) / 2 - square.left, (y0 + y1 + (BELOW - ABOVE) * height) / 2 - square.top
    across, down = (((np.arange(square.side) + 0.5 - at) / reach) ** 2 for at, reach in zip(middle, half, strict=True))
    return across + down[:, None] <= 1


def claims(
    squares: Sequence[Square | None], regions: np.ndarray, heads: Sequence[np.ndarray | None]
) -> list[np.ndarray | None]:
    """Which pixels of their own squares members may change, bool [side, side] each; None without a square.

    squares : of the members' faces, in the order of the cast
    regions : bool [R, H, W], where each member belongs
    heads   : bool [side, side] in each square, see head_in
    Nobody changes anything outside of their region, nor beyond their head, nor what an earlier member may change.
    """
    taken = np.zeros(regions.shape[1:], bool)
    found: list[np.ndarray | None] = []
    for square, region, head in zip(squares, regions, heads, strict=True):
        if square is None:
            found.append(None)
            continue
        part = square.within(*region.shape)
        claim = np.zeros((square.side, square.side), bool)
        claim[part.square] = region[part.picture] & ~taken[part.picture] & head[part.square]
        taken[part.picture] |= claim[part.square]
        found.append(claim)
    return found


def soft_edged(claim: np.ndarray, square: Square, feather: float, height: int, width: int) -> np.ndarray:
    """How much of each pixel of a square comes from the close-up, float32 [side, side] in 0..1.

    claim   : bool [side, side], which pixels may change at all
    feather : width of the soft rim inside the claim, in parts of the square's side
    It is 0 outside of the claim and 1 farther inside than the rim; the border of the picture has no rim. The claim is
    narrowed by half of the rim and then blurred by a box of its width, so that nothing leaks out.
    """
    reach = round(feather * square.side / 2)
    if not reach:
        return claim.astype(np.float32)
    part = square.within(height, width)
    room = [  # the rim lies around the square, and nothing beyond the picture
        (min(reach, start), min(reach, length - stop))
        for start, stop, length in ((at.start, at.stop, n) for at, n in zip(part.picture, (height, width), strict=True))
    ]
    inside = torch.from_numpy(np.pad(claim[part.square], room)).float()[None]
    sides = ((2 * reach + 1, 1), (reach, 0)), ((1, 2 * reach + 1), (0, reach))
    for kernel, beyond in sides:
        inside = 1 - F.max_pool2d(1 - inside, kernel, 1, beyond)
    for kernel, beyond in sides:
        inside = F.avg_pool2d(inside, kernel, 1, beyond, count_include_pad=False)
    weights = np.zeros(claim.shape, np.float32)
    soft = inside[0].clamp(0, 1).numpy()
    (above, _), (before, _) = room
    height, width = claim[part.square].shape
    weights[part.square] = soft[above : above + height, before : before + width]
    return weights


def paste(
    picture: np.ndarray, changed: np.ndarray, close_up: np.ndarray, square: Square, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a close-up in its square, and which of its pixels are changed so far; both are new.

    picture  : uint8 [H, W, 3]
    changed  : bool [H, W]
    close_up : uint8 [S, S, 3]
    weights  : [side, side] in 0..1; where it is 0 the picture keeps its pixels, bit by bit
    """
    picture, changed = picture.copy(), changed.copy()
    part = square.within(*changed.shape)
    share = weights[part.square][..., None]
    here = share[..., 0] > 0
    mixed = picture[part.picture] * (1 - share) + scaled(close_up, square.side)[part.square] * share
    picture[part.picture][here] = mixed.round().clip(0, 255).astype(np.uint8)[here]
    changed[part.picture] |= here
    return picture, changed


def _moved(place: slice, by: int) -> slice:
    return slice(place.start + by, place.stop + by)
