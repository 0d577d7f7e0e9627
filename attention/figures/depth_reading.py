"""People in the depth map of a reference picture: who is in front, and whose the pixels of overlapping regions are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from ..regions.region import Region, rasterise
from .depth_layout import DepthLayout, shared_out

BINS = 64
FLAT = 0.02  # a region whose depths differ by less shows one thing alone
SAME = 0.02  # people whose depths differ by less stand side by side


def read_layout(regions: Sequence[Region], depth: Tensor) -> DepthLayout:
    """Find the people of a depth map in their regions.

    depth : [H, W] in 0..1, near is bright
    Of the pixels that a region shares with no other, the near part is taken for its person and the far part for what
    is behind them (Otsu 1979); the person's depth is the mean of the near part. Where regions overlap, a pixel is of
    the person whose depth is nearest to its own. The regions get new orders, 0 for the nearest person.
    """
    covers = rasterise(regions, *depth.shape) >= 0.5
    facts = [person_depth(depth, cover, covers.sum(0) - cover.int()) for cover in covers]
    levels, least = depth.new_tensor(facts).view(-1, 2).T[..., None, None]
    apart = torch.where(covers, (depth - levels).abs(), torch.inf)
    closest = apart <= apart.amin(0, keepdim=True) if len(apart) else covers
    masks = _first_only(covers & closest & (depth >= least)).float()
    ordered = [
        replace(region, order=rank) for region, rank in zip(regions, ranks_of(levels.flatten().tolist()), strict=True)
    ]
    return DepthLayout(depth, masks, shared_out(ordered, masks))


def person_depth(depth: Tensor, cover: Tensor, others: Tensor) -> tuple[float, float]:
    """How near the person in a region is, and the least depth that still belongs to them.

    cover  : bool [H, W], the region
    others : [H, W], how many other regions are there
    """
    own = depth[cover & (others == 0)]
    own = own if len(own) else depth[cover]
    if not len(own):
        return 0.0, 0.0
    if float(own.max() - own.min()) < FLAT:
        return float(own.mean()), float(own.min())
    least = otsu(own)
    return float(own[own >= least].mean()), least


def otsu(values: Tensor) -> float:
    """The threshold that parts values into two groups with the greatest variance between them (Otsu 1979)."""
    low, high = float(values.min()), float(values.max())
    counts = torch.histc(values.float(), BINS, low, high)
    centres = low + (torch.arange(BINS) + 0.5) * (high - low) / BINS
    below = counts.cumsum(0)
    above = below[-1] - below
    sums = (counts * centres).cumsum(0)
    between = below * above * (sums / below.clamp(min=1) - (sums[-1] - sums) / above.clamp(min=1)) ** 2
    return low + (int(between[:-1].argmax()) + 1) * (high - low) / BINS


def ranks_of(levels: Sequence[float]) -> list[int]:
    """0 for the nearest (brightest) person, and so on; people at almost the same depth share a rank."""
    ranks, rank = [0] * len(levels), 0
    order = sorted(range(len(levels)), key=lambda index: -levels[index])
    for before, index in pairwise(order):
        rank += levels[before] - levels[index] >= SAME
        ranks[index] = rank
    return ranks


def _first_only(masks: Tensor) -> Tensor:
    """bool [R, H, W] with every pixel in the first mask that holds it."""
    return masks & (masks.cumsum(0) == 1)
