"""Regions as stock masks, and drawn on pictures with their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ...attention.regions.compositors import composite
from ...attention.regions.edits import index_of
from ...attention.regions.feathering import feathered
from ...attention.regions.outlines import bands
from ...attention.regions.region import Region, rasterise
from ...measure.annotate import Mark, annotate, member_colour
from ..host.images import to_pictures
from ..marks import around
from .region_lists import split_names

AS_DRAWN = "as drawn"
PAPER = 40  # grey level of the preview where there is no picture


def region_masks(
    regions: Sequence[Region], height: int, width: int, names: str, overlaps: str, feather: float
) -> tuple[Tensor, Tensor]:
    """Masks [R, height, width] of the named regions, and [1, height, width] of all of these together.

    names    : separated by commas; empty takes all
    overlaps : AS_DRAWN or a compositor, which sees all regions, the named ones and the others
    Without any region both are empty masks, so that a graph goes on. Raises ValueError for an unknown name.
    """
    try:
        wanted = [index_of(regions, name) for name in split_names(names)] or list(range(len(regions)))
    except ValueError as error:
        raise ValueError(f"Troupe, Region Masks: {error}") from error
    if not wanted:
        return torch.zeros(1, height, width), torch.zeros(1, height, width)
    masks = rasterise(feathered(regions, feather, width / height), height, width)
    if overlaps != AS_DRAWN:
        for band in bands(height, width * len(regions)):
            masks[:, band] = composite(masks[:, band], overlaps, [region.order for region in regions])
    chosen = masks if wanted == list(range(len(regions))) else masks[wanted]
    return chosen, chosen.amax(0, keepdim=True)


def region_preview(
    regions: Sequence[Region], image: Tensor | None, height: int, width: int, fill: float
) -> list[np.ndarray]:
    """Each picture with the regions' outlines, names and orders; small ones are enlarged. uint8 [k H, k W, 3].

    image : IMAGE [B, H, W, C]; without one a dark sheet of height x width
    fill  : how opaque the regions' colours are; farther regions are painted first
    One region's mask is held at a time: of many on a large picture they would take gigabytes.
    """
    sheet = [np.full((height, width, 3), PAPER, np.uint8)]
    pictures = sheet if image is None else to_pictures(image)
    size = pictures[0].shape[:2]
    boxes = {index: around(inside) for index, inside in _insides(regions, range(len(regions)), size) if inside.any()}
    marks = [
        Mark(box, f"{regions[index].name} ({regions[index].order})", member_colour(index), strong=False)
        for index, box in boxes.items()
    ]
    nearest_last = sorted(boxes, key=lambda index: -regions[index].order)
    return [
        annotate(
            _filled(picture, regions, nearest_last, fill),
            marks,
            ((inside, member_colour(index)) for index, inside in _insides(regions, boxes, size)),
        )
        for picture in pictures
    ]


def _insides(
    regions: Sequence[Region], chosen: Iterable[int], size: tuple[int, int]
) -> Iterator[tuple[int, np.ndarray]]:
    """The chosen regions one after the other: index and the pixels of which at least half is covered, bool [H, W]."""
    return ((index, (rasterise([regions[index]], *size)[0] >= 0.5).numpy()) for index in chosen)


def _filled(picture: np.ndarray, regions: Sequence[Region], chosen: Iterable[int], fill: float) -> np.ndarray:
    painted = picture.astype(np.float32)
    for index in chosen if fill else ():
        mask, colour = rasterise([regions[index]], *picture.shape[:2])[0].numpy(), member_colour(index)
        for band in bands(*mask.shape):
            cover = fill * mask[band][..., None]
            painted[band] += cover * (np.array(colour, np.float32) - painted[band])
    return painted.round(out=painted).astype(np.uint8)
