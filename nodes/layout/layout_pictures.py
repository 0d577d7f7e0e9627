"""What Depth Layout hands out, as the host's pictures and masks, and the poses of single people as text."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...attention.figures.depth_layout import SHOWN, Look, draw_layout
from ...attention.figures.depth_reading import read_layout
from ...attention.regions.edits import index_of
from ...attention.regions.region import Region
from ..regions.region_lists import split_names

NODE = "Troupe, Depth Layout"


def layout_of(
    regions: Sequence[Region], height: int, width: int, look: Look, depth: Tensor | None = None
) -> tuple[Tensor, Tensor, tuple[Region, ...]]:
    """IMAGE [1, H, W, 3], MASK [R, H, W] and the regions.

    depth : IMAGE of one reference picture, whose people are looked for; without one people are drawn
    Raises ValueError without a region, and for a batch of depth maps.
    """
    if not regions:
        raise ValueError(f"{NODE}: there is no region. Draw one for each person in Draw Regions.")
    if depth is None:
        layout = draw_layout(regions, height, width, look)
        return layout.depth[None, ..., None].expand(-1, -1, -1, 3).contiguous(), layout.visible, layout.regions
    if len(depth) != 1:
        raise ValueError(f"{NODE}: got a batch of {len(depth)} depth maps, needs one. Pick it with Image From Batch.")
    grey = torch.nan_to_num(depth[0, ..., :3].detach().to("cpu", torch.float32)).mean(-1).clamp(0, 1)
    layout = read_layout(regions, grey)
    return depth, layout.visible, layout.regions


def poses_by_name(text: str, regions: Sequence[Region]) -> dict[str, str]:
    """Poses of single regions: "Ada: sitting, Ben: bust". Raises ValueError for an unknown name or pose."""
    poses = {}
    for entry in split_names(text):
        name, _, pose = (part.strip() for part in entry.rpartition(":"))
        if pose not in SHOWN or not name:
            raise ValueError(f"{NODE}: '{entry}' is no name with a pose ({', '.join(SHOWN)}). Write 'Ada: sitting'.")
        try:
            poses[regions[index_of(regions, name)].name] = pose
        except ValueError as error:
            raise ValueError(f"{NODE}: the poses name a region that is not there: {error}") from error
    return poses
