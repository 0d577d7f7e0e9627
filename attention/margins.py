"""Regions with room around them: a face adapter draws hair and jaw too, which a box around the face leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .regions import Region


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
