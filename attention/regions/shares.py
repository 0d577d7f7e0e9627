"""Who holds which part of every token: region masks on a layer's grid, put in front of each other.

Overlaps are settled between points of the picture, not between cells of a layer. Two people who stand side by side
may still touch the same cell of a coarse layer; there they share it, and nobody is in front.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from . import outlines
from .compositors import composite
from .masks import Cells, token_masks
from .region import Region, mean_of_samples, sample_points, values_at

# Points per cell and axis at which overlaps are settled.
SAMPLES = 4


def token_shares(regions: Sequence[Region], cells: Cells, compositor: str, hard: bool = False) -> Tensor:
    """Each region's share of every cell: its token mask times the part of it that the compositor leaves in view.

    compositor : a name from attention.regions.compositors
    hard       : see attention.regions.masks.token_masks
    returns [I, H, W] in the order of the regions; for all compositors but `sum`, the shares of a cell sum to at most 1
    """
    masks = token_masks(regions, cells, hard)
    if compositor == "sum" or not regions:
        return masks
    shares = masks * visible_part(regions, cells, compositor)
    return shares / shares.sum(0).clamp(min=1)


def visible_part(regions: Sequence[Region], cells: Cells, compositor: str) -> Tensor:
    """The part of each region within each cell that the compositor leaves to it, 1 where it has no point.

    returns [I, H, W] in [0, 1]
    """
    width = len(cells.columns) - 1
    at_once = max(1, outlines.BAND // (width * len(regions) * SAMPLES**2))  # rows of cells
    visible = torch.ones(len(regions), len(cells.rows) - 1, width)
    for top in range(0, visible.shape[1], at_once):
        rows = cells.rows[top : top + at_once + 1]
        visible[:, top : top + at_once] = _settled(regions, rows, cells, compositor)
    return visible


def _settled(regions: Sequence[Region], rows: Tensor, cells: Cells, compositor: str) -> Tensor:
    """`visible_part` of the cells between some edges of rows."""
    y, x = sample_points(rows, SAMPLES), sample_points(cells.columns, SAMPLES)
    values = torch.stack([values_at(region, y, x, cells.aspect) for region in regions])
    shares = composite(values, compositor, [region.order for region in regions])
    covered, visible = mean_of_samples(values, SAMPLES), mean_of_samples(shares, SAMPLES)
    return torch.where(covered > 0, visible / covered.clamp(min=1e-12), torch.ones_like(covered))
