"""How overlapping regions share a cell: the share G_i of each region from the masks M_i.

`sum`       G = M: overlaps add up (the plain sum of AnyMS's ablation, arXiv 2512.23537)
`normalise` G = M / max(sum M, 1): overlaps are split (UniPortrait, arXiv 2408.05939)
`priority`  G_i = M_i * product of (1 - M_j) over the regions in front, the first in the list foremost
            (AnyMS's overwriting in priority order, arXiv 2512.23537, for soft masks the over-operator)
`depth`     the same with the regions' depth order, the smallest number foremost; of equal ones the first in the list
Cells that no region covers are nobody's: G is 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .region import Region

COMPOSITORS = ("sum", "normalise", "priority", "depth")


def composite(masks: Tensor, compositor: str, depths: Sequence[float] | None = None) -> Tensor:
    """The share of every region in every cell.

    masks  : [I, ...] in [0, 1], in the order of the cast
    depths : [I] numbers for the compositor `depth`; equal ones keep the order of the cast
    returns [I, ...]; for `normalise`, `priority` and `depth` the shares of a cell sum to at most 1
    """
    if compositor == "sum":
        return masks
    if compositor == "normalise":
        return masks / masks.sum(0).clamp(min=1)
    if compositor == "priority":
        return _front_to_back(masks)
    if compositor == "depth":
        assert depths is not None, "the compositor 'depth' needs the regions' depths"
        order = torch.tensor(sorted(range(len(masks)), key=lambda index: depths[index]), dtype=torch.long)
        shares = torch.empty_like(masks)
        shares[order] = _front_to_back(masks[order])
        return shares
    raise ValueError(f"There is no compositor '{compositor}'; choose one of {', '.join(COMPOSITORS)}.")


def _front_to_back(masks: Tensor) -> Tensor:
    left_over = torch.cat([torch.ones_like(masks[:1]), (1 - masks).cumprod(0)[:-1]])
    return masks * left_over


def default_compositor(regions: Sequence[Region]) -> str:
    """`priority` for boxes and ellipses, which have a front and a back; `normalise` once one region is painted."""
    return "normalise" if any(region.shape == "mask" for region in regions) else "priority"
