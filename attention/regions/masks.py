"""Region masks on the token grid of a layer: by area, whole cells for boxes, and never a region without a cell.

A layer's cells are the blocks of latent cells that its down-samplings merged, so sizes that do not divide evenly keep
every cell where its features come from (the last one is cut off at the picture's edge), and a crop of the picture
sees the part of each region that lies in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .region import Region, box_sides, coverage, is_upright, overlap

# Less than this part of a cell is rounding, not coverage.
TOUCH = 1e-6


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a grid, placed in the picture.

    rows, columns : [H + 1], [W + 1] float64, rising edges in fractions of the picture
    aspect        : width of the whole picture over its height
    """

    rows: Tensor
    columns: Tensor
    aspect: float = 1.0


def cells_of(grid: tuple[int, int], latent: tuple[int, int], area: tuple[int, int, int, int] | None = None) -> Cells:
    """The cells of a layer.

    grid   : rows and columns of the layer's token grid
    latent : rows and columns of the whole latent picture
    area   : (height, width, top, left) in latent cells when the model sees a crop of the picture, else None
    """
    height, width, top, left = area or (*latent, 0, 0)
    return Cells(
        rows=(top + _edges(grid[0], height)) / latent[0],
        columns=(left + _edges(grid[1], width)) / latent[1],
        aspect=latent[1] / latent[0],
    )


def _edges(count: int, length: int) -> Tensor:
    """[count + 1] edges of `count` cells over `length` latent cells.

    Each down-sampling halves and rounds up, so a cell holds a power of two latent cells; for a count that no number
    of halvings gives (another pack resized the features), the cells are equal parts.
    """
    step = 1
    while -(-length // step) > count:
        step *= 2
    if -(-length // step) == count:
        return (torch.arange(count + 1, dtype=torch.float64) * step).clamp(max=length)
    return torch.linspace(0, length, count + 1, dtype=torch.float64)


def token_masks(regions: Sequence[Region], cells: Cells, hard: bool = False) -> Tensor:
    """How much each region holds of each cell of a layer.

    An upright box takes every cell that it touches (its edges are rounded outwards: floor and ceil); everything else
    takes the part of the cell that it covers. A region that lies at least partly within the cells has one cell at its
    full value even where it is much smaller than a cell, so that nobody vanishes at the coarsest layer.

    hard : cells are 0 or 1: those that a region covers by at least half
    returns [R, H, W] float32 in [0, 1]
    """
    if not regions:
        return torch.zeros(0, len(cells.rows) - 1, len(cells.columns) - 1)
    return torch.stack([_token_mask(region, cells, hard) for region in regions])


def _token_mask(region: Region, cells: Cells, hard: bool) -> Tensor:
    if region.shape == "box" and is_upright(region):
        down, across = box_sides(region, cells.rows, cells.columns)
        return torch.outer(down > TOUCH, across > TOUCH).float()
    covered = coverage(region, cells.rows, cells.columns, cells.aspect)
    peak = _peak(region, cells) if covered.max() > 0 else 0.0
    mask = (covered >= 0.5 * peak).float() * (peak > 0) if hard else covered
    if mask.max() < 0.5 * peak:
        mask = mask.clone()
        mask.view(-1)[covered.argmax()] = 1.0 if hard else peak
    return mask


def _peak(region: Region, cells: Cells) -> float:
    """The largest value of a region within the cells: 1 for an outline, the brightest pixel for a painted mask."""
    if region.shape != "mask":
        return 1.0
    mask = region.mask.detach().cpu().float().clamp(0, 1)
    rows = _pixels_within(cells.rows, region.y, region.height, mask.shape[0])
    columns = _pixels_within(cells.columns, region.x, region.width, mask.shape[1])
    return mask[rows][:, columns].max().item()


def _pixels_within(edges: Tensor, start: float, length: float, count: int) -> Tensor:
    """[count] bool: which of `count` equal pixels of the span lie at least partly between the outer edges."""
    pixels = start + length * torch.linspace(0, 1, count + 1, dtype=edges.dtype)
    return overlap(edges[[0, -1]], pixels[:-1], pixels[1:])[0] > 0
