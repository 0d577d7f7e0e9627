"""Painted regions: from masks and from pictures in which every person has a colour."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .region import Region

LEAST = 1 / 255  # what a mask has less of is not painted
MOST_COLOURS = 256  # commonest colours that are looked at; a photo has as many as pixels


def painted_region(name: str, mask: Tensor, order: int = 0) -> Region:
    """A region of what is painted on a mask of the whole picture [H, W], cut to the box around it.

    Nothing painted at all makes a region that covers nothing, in the middle of the picture.
    """
    rows, columns = ((mask > LEAST).any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    height, width = mask.shape
    if not rows:
        return Region(name, "mask", 0.5, 0.5, 1 / width, 1 / height, order=order, mask=mask.new_zeros(1, 1))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return Region(
        name,
        "mask",
        x=left / width,
        y=top / height,
        width=(right - left) / width,
        height=(bottom - top) / height,
        order=order,
        mask=mask[top:bottom, left:right].clone(),
    )


def bounding_region(name: str, mask: Tensor, shape: str, order: int = 0) -> Region:
    """A box or an ellipse around at least half painted pixels of a mask [H, W]; of nothing painted, see above."""
    painted = painted_region(name, (mask >= 0.5 * mask.max()) * (mask > LEAST).float(), order)
    return Region(name, shape, painted.x, painted.y, painted.width, painted.height, order=order)


def colour_masks(picture: Tensor, colours: Sequence[tuple[float, float, float]], tolerance: float) -> Tensor:
    """Where each colour is, [N, H, W] of 0 and 1: the pixels it is the nearest colour of, within a distance.

    picture   : [H, W, 3] in 0..1
    colours   : N of them, in 0..1
    tolerance : largest difference of any channel
    """
    apart = (picture[None] - picture.new_tensor(colours)[:, None, None]).abs().amax(-1)
    nearest = torch.nn.functional.one_hot(apart.argmin(0), len(colours)).movedim(-1, 0)
    return (nearest * (apart <= tolerance)).float()


def main_colours(picture: Tensor, tolerance: float, least: float) -> list[tuple[tuple[float, float, float], float]]:
    """The colours a picture is made of, largest first, each with the part of the picture that it fills.

    picture   : [H, W, 3] in 0..1
    tolerance : pixels that differ by at most this in every channel are of one colour
    least     : colours that fill less of the picture are left out
    """
    pixels = (picture.reshape(-1, 3) * 255).round().long()
    codes, counts = (pixels * pixels.new_tensor([65536, 256, 1])).sum(1).unique(return_counts=True)
    values = torch.stack([codes // 65536, codes // 256 % 256, codes % 256], 1).float() / 255
    found = []
    for _ in range(MOST_COLOURS):
        if not len(counts):
            break
        colour = values[counts.argmax()]
        alike = (values - colour).abs().amax(1) <= tolerance
        share = float(counts[alike].sum()) / len(pixels)
        if share >= least:
            found.append((tuple(colour.tolist()), share))
        values, counts = values[~alike], counts[~alike]
    return sorted(found, key=lambda entry: -entry[1])
