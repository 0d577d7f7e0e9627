"""A depth map of people in their regions, nearer ones in front, for any depth ControlNet; near is bright.

Synthetic depth as the layout of a picture: every region holds the outline of a person at a depth plane of its own
(MultiID, arXiv 2511.20401, controls space by depth; where its map comes from is not public to us. This one needs no
model and no reference, and is a layout, not the depth of a scene).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..regions.compositors import composite
from ..regions.painted import painted_region
from ..regions.region import Region, rasterise
from .placing import ADULT, POSES, boxed, figure_in, place_in

AS_PAINTED = "as painted"  # the region itself is the person's outline
SHOWN = (*POSES, AS_PAINTED)
BACKDROP = 0.04  # brightness of what is far away
HORIZON, SOFT = 0.4, 0.15  # where the ground begins, and how far around it the bend reaches, in picture heights
RELIEF = 0.06  # how much nearer the middle of a body is than its outline
TOGETHER = 1e-3  # regions that share less of every pixel do not overlap


@dataclass(frozen=True)
class Look:
    """What a depth map shows.

    pose   : of everybody who is not named in `poses`, one of SHOWN
    heads  : standing height in head heights
    near   : brightness of the nearest person
    far    : brightness of the farthest person
    ground : brightness of the ground at the lower edge; 0 leaves the ground away
    """

    pose: str = "auto"
    poses: Mapping[str, str] | None = None
    heads: float = ADULT
    near: float = 0.85
    far: float = 0.45
    ground: float = 0.2


@dataclass(frozen=True, eq=False)
class DepthLayout:
    """depth [H, W] in 0..1, near is bright; visible [R, H, W] in 0..1; the regions, overlaps shared out, with order."""

    depth: Tensor
    visible: Tensor
    regions: tuple[Region, ...]


def draw_layout(regions: Sequence[Region], height: int, width: int, look: Look) -> DepthLayout:
    """Draw people into regions by their order, the smallest number nearest; of equal ones the first in the list.

    Every body keeps within the box of its region, or the box around what is painted of it.
    """
    poses = look.poses or {}
    figures = [_figure(region, height, width, poses.get(region.name, look.pose), look.heads) for region in regions]
    covers = torch.stack([cover for cover, _ in figures]) if figures else torch.zeros(0, height, width)
    orders = [region.order for region in regions]
    depth = ground(height, width, look.ground)
    for index in reversed(front_to_back(orders)):
        plane = brightness(orders, look)[index] + RELIEF * (figures[index][1] - 1)
        depth = depth + covers[index] * (plane - depth)
    visible = composite(covers, "depth", orders)
    return DepthLayout(depth.clamp(0, 1), visible, shared_out(regions, visible))


def _figure(region: Region, height: int, width: int, pose: str, heads: float) -> tuple[Tensor, Tensor]:
    """Coverage and roundness [height, width] of the person in a region."""
    if pose == AS_PAINTED:
        cover = rasterise([region], height, width)[0]
        return cover, cover
    return figure_in(place_in(boxed(region), width / height, pose, heads), height, width)


def front_to_back(orders: Sequence[float]) -> list[int]:
    """Indices from the nearest to the farthest; equal ones keep their place."""
    return sorted(range(len(orders)), key=lambda index: orders[index])


def brightness(orders: Sequence[float], look: Look) -> list[float]:
    """The brightness of each person's plane: even steps between the orders that occur, `near` where there is one."""
    ranks = sorted(set(orders))
    step = (look.near - look.far) / max(len(ranks) - 1, 1)
    return [look.near - step * ranks.index(order) for order in orders]


def ground(height: int, width: int, near: float) -> Tensor:
    """[height, width]: a backdrop, and below the horizon a floor that comes nearer evenly, as disparity does."""
    y = (torch.arange(height) + 0.5) / height - HORIZON
    bend = (y + SOFT).clamp(0, 2 * SOFT).square() / (4 * SOFT) + (y - SOFT).clamp(min=0)
    floor = BACKDROP + max(near - BACKDROP, 0.0) * bend / (1 - HORIZON)
    return (floor if near > 0 else torch.full_like(floor, BACKDROP))[:, None].expand(height, width).clone()


def shared_out(regions: Sequence[Region], visible: Tensor) -> tuple[Region, ...]:
    """The regions with no pixel in two of them: who is seen there has it, and where nobody is, the nearer region.

    visible : [R, H, W], the part of each pixel in which a person is seen; sums to at most 1
    Regions that overlap no other stay as they are; the others become painted ones.
    """
    height, width = visible.shape[1:]
    covers = rasterise(regions, height, width)
    seen = visible * (covers > 0)
    left_over = composite(covers, "depth", [region.order for region in regions]) * (1 - seen.sum(0)).clamp(min=0)
    shares = (seen + left_over).clamp(max=1).minimum(covers)
    others = covers.sum(0) - covers
    return tuple(
        painted_region(region.name, share, region.order) if (cover * other).max() > TOGETHER else replace(region)
        for region, share, cover, other in zip(regions, shares, covers, others, strict=True)
    )
