"""The edges of regions: room around them, and softness.

Soft edges are made in the picture and not on a layer's grid, so that all layers see the same edge. Room around a region
is for face adapters, which draw hair and jaw too: a box around the face leaves these out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .region import Region, rasterise

# Pixels along the shorter side of the picture in which edges are blurred; layers are at most this fine.
SIDE = 192


def feathered(regions: Sequence[Region], width: float, aspect: float = 1.0) -> list[Region]:
    """The regions as painted masks whose edges are blurred by a Gaussian; unchanged for a width of 0.

    width  : standard deviation of the blur, in parts of the picture's shorter side
    aspect : width of the picture over its height
    A region's edge at the picture's border stays sharp: what lies outside counts as the border's value.
    """
    if width <= 0 or not regions:
        return list(regions)
    height = SIDE if aspect >= 1 else round(SIDE / aspect)
    masks = blurred(rasterise(regions, height, round(height * aspect)), width * SIDE)
    whole = {"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0, "rotation": 0.0}
    return [replace(r, shape="mask", mask=mask, **whole) for r, mask in zip(regions, masks, strict=True)]


def blurred(masks: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of masks [R, H, W] with a standard deviation in pixels; the border's values go on outside."""
    reach = min(math.ceil(3 * sigma), min(masks.shape[-2:]) - 1)
    line = torch.arange(-reach, reach + 1, dtype=masks.dtype)
    kernel = (-0.5 * (line / sigma).square()).exp()
    kernel = kernel / kernel.sum()
    padded = F.pad(masks[:, None], (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, kernel[None, None, None, :])
    return F.conv2d(across, kernel[None, None, :, None])[:, 0].clamp(0, 1)


def with_margin(regions: Sequence[Region], margin: float) -> tuple[Region, ...]:
    """Boxes and ellipses grown by `margin` times their size on each side; painted masks say where they end themselves.

    InstantFamily (arXiv 2404.19427, section 4.2) grows face boxes by a quarter; whether of the whole or on each side
    it does not say. What comes to lie outside of the picture is cut off by whoever draws the region.
    """
    return tuple(_grown(region, margin) if margin and region.shape != "mask" else region for region in regions)


def _grown(region: Region, margin: float) -> Region:
    wider, taller = region.width * margin, region.height * margin
    return replace(
        region,
        x=region.x - wider,
        y=region.y - taller,
        width=region.width + 2 * wider,
        height=region.height + 2 * taller,
    )
