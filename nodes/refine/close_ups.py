"""Close-ups of faces: the square each one shows, who may change which pixel of it, and pasting it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


@dataclass(frozen=True)
class Square:
    """A square of a picture in whole pixels: its left and top edge, and its side."""

    left: int
    top: int
    side: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)


def square_around(box: Sequence[float], room: float, height: int, width: int) -> Square:
    """The square around a face: `room` times the longer side of its box, xyxy pixels.

    Where it would reach beyond the picture it is moved into it, and it is never larger than the picture.
    """
    x0, y0, x1, y1 = (float(edge) for edge in box)
    side = int(np.clip(round(max(x1 - x0, y1 - y0) * room), 1, min(height, width)))
    left = int(np.clip(round((x0 + x1 - side) / 2), 0, width - side))
    top = int(np.clip(round((y0 + y1 - side) / 2), 0, height - side))
    return Square(left, top, side)


def cut(picture: np.ndarray, square: Square, size: int) -> np.ndarray:
    """The square of a picture, uint8 [H, W, 3], as a close-up, uint8 [size, size, 3]."""
    return scaled(picture[square.pixels], size)


def scaled(close_up: np.ndarray, side: int) -> np.ndarray:
    """A square picture, uint8 [S, S, 3], at another size; Pillow's filter covers the whole area of each new pixel."""
    resized = Image.fromarray(np.ascontiguousarray(close_up)).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def claims(squares: Sequence[Square | None], regions: np.ndarray) -> list[np.ndarray | None]:
    """Which pixels of their own square members may change, bool [side, side] each; None without a square.

    squares : of the members' faces, in the order of the cast
    regions : bool [R, H, W], where each member belongs
    Nobody changes anything outside of their region, nor what is within both region and square of an earlier member.
    """
    taken = np.zeros(regions.shape[1:], bool)
    found: list[np.ndarray | None] = []
    for square, region in zip(squares, regions, strict=True):
        if square is None:
            found.append(None)
            continue
        found.append(region[square.pixels] & ~taken[square.pixels])
        taken[square.pixels] |= found[-1]
    return found


def soft_edged(claim: np.ndarray, square: Square, feather: float, height: int, width: int) -> np.ndarray:
    """How much of each pixel of a square comes from the close-up, float32 [side, side] in 0..1.

    claim   : bool [side, side], which pixels may change at all
    feather : width of the soft rim inside the claim, in parts of the square's side
    It is 0 outside of the claim and 1 farther inside than the rim; the picture's own border has no rim. The claim is
    narrowed by half of the rim and then blurred by a box of its width, so that nothing leaks out.
    """
    reach = round(feather * square.side / 2)
    if not reach:
        return claim.astype(np.float32)
    kernel = 2 * reach + 1
    before = min(reach, square.left), min(reach, square.top)
    after = min(reach, width - square.left - square.side), min(reach, height - square.top - square.side)
    around = before[0], after[0], before[1], after[1]
    inside = F.pad(torch.from_numpy(claim).float(), around)[None]
    for axis in ((kernel, 1), (1, kernel)):
        inside = 1 - F.max_pool2d(1 - inside, axis, 1, tuple(length // 2 for length in axis))
    for axis in ((kernel, 1), (1, kernel)):
        inside = F.avg_pool2d(inside, axis, 1, tuple(length // 2 for length in axis), count_include_pad=False)
    rows = slice(before[1], before[1] + square.side)
    columns = slice(before[0], before[0] + square.side)
    return inside[0, rows, columns].clamp(0, 1).numpy()


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
    here, share = weights > 0, weights[..., None]
    mixed = picture[square.pixels] * (1 - share) + scaled(close_up, square.side) * share
    picture[square.pixels][here] = mixed.round().clip(0, 255).astype(np.uint8)[here]
    changed[square.pixels] |= here
    return picture, changed
