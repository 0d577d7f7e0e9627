"""How a person is put into a region: which pose, how large the head, where the crown, and what of the body shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..regions.region import Region, mean_of_samples, sample_points
from .bodies import SEATED, Build, thickness, usual_shoulders

POSES = ("auto", "standing", "sitting", "bust")
ADULT = 7.5  # head heights
BUST = 2.5  # head heights that a bust shows
LEANEST, BROADEST = 0.8, 1.15  # how far shoulders follow the region's width, in usual shoulder widths
SAMPLES = 2  # points per pixel and axis at which an outline is sampled


@dataclass(frozen=True)
class Place:
    """A person in a region. Lengths are in picture heights.

    region : the box they are in; it turns with the region
    aspect : width of the picture over its height
    seated : whether they sit
    build  : their proportions
    head   : height of their head
    crown  : how far the crown is below the region's upper edge
    """

    region: Region
    aspect: float
    seated: bool
    build: Build
    head: float
    crown: float


def place_in(region: Region, aspect: float, pose: str = "auto", heads: float = ADULT) -> Place:
    """Put a person into the box of a region: as tall as the region, their shoulders following its width.

    aspect : width of the picture over its height
    pose   : one of POSES; "auto" shows all of a person in a slim region and a bust in a broad one
    heads  : how many head heights the person is tall when standing
    In a region too slim for a person of its height, the person is smaller and stands on its lower edge; a bust shows
    more of the body instead, down to the feet.
    """
    if pose not in POSES:
        raise ValueError(f"There is no pose '{pose}'; choose one of {', '.join(POSES)}.")
    usual = usual_shoulders(heads)
    width, height = region.width * aspect, region.height
    if pose == "auto":
        pose = "bust" if height / width < (heads * min(BUST, heads)) ** 0.5 / (2 * usual) else "standing"
    body = SEATED * heads if pose == "sitting" else heads
    shown = min(BUST, heads) if pose == "bust" else body
    head = min(height / shown, width / (2 * LEANEST * usual))
    shoulders = min(max(width / (2 * head), LEANEST * usual), BROADEST * usual)
    crown = 0.0 if pose == "bust" and head * body > height else height - head * body
    return Place(region, aspect, pose == "sitting", Build(heads, shoulders), head, crown)


def boxed(region: Region) -> Region:
    """The upright box around what is painted of a region; other shapes as they are. A region without paint stays."""
    if region.shape != "mask":
        return region
    painted = region.mask >= 0.5 * region.mask.max().clamp(min=1e-6)
    rows, columns = (painted.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows:
        return region
    down, across = region.height / painted.shape[0], region.width / painted.shape[1]
    return replace(
        region,
        x=region.x + columns[0] * across,
        y=region.y + rows[0] * down,
        width=(columns[-1] + 1 - columns[0]) * across,
        height=(rows[-1] + 1 - rows[0]) * down,
    )


def picture_point(place: Place, x: float, y: float) -> tuple[float, float]:
    """Where a point of the body, in head heights from the crown, lies in the picture: fractions from the top left."""
    region = place.region
    along, down = x * place.head, y * place.head + place.crown - region.height / 2
    cos, sin = math.cos(math.radians(region.rotation)), math.sin(math.radians(region.rotation))
    right, low = along * cos - down * sin, along * sin + down * cos
    return region.x + region.width / 2 + right / place.aspect, region.y + region.height / 2 + low


def figure_in(place: Place, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw a person: the part of each pixel that the body covers, and its roundness there.

    returns two [height, width] float32: coverage in [0, 1], and the body's thickness from 0 to about 1
    """
    region = place.region
    reach = math.hypot(region.width * place.aspect, region.height) / 2
    rows = _within(region.y + region.height / 2, reach, height)
    columns = _within(region.x + region.width / 2, reach / place.aspect, width)
    cover, round_ = torch.zeros(height, width), torch.zeros(height, width)
    if rows.start < rows.stop and columns.start < columns.stop:
        body = _sampled(place, _edges(rows, height), _edges(columns, width))
        cover[rows, columns] = mean_of_samples((body > 0).float(), SAMPLES)
        thickest = max(place.build.shoulders * 0.5, 0.38)
        round_[rows, columns] = mean_of_samples(body, SAMPLES) / cover[rows, columns].clamp(min=1e-3) / thickest
    return cover, round_.clamp(0, 1)


def _within(centre: float, reach: float, count: int) -> slice:
    """The pixels of one axis within reach of a centre, both in fractions."""
    return slice(max(0, math.floor((centre - reach) * count)), min(count, math.ceil((centre + reach) * count)))


def _edges(pixels: slice, count: int) -> Tensor:
    return torch.arange(pixels.start, pixels.stop + 1, dtype=torch.float32) / count


def _sampled(place: Place, rows: Tensor, columns: Tensor) -> Tensor:
    """Thickness at SAMPLES x SAMPLES points of each pixel, 0 outside of the region's box."""
    region = place.region
    right = (sample_points(columns, SAMPLES)[None] - (region.x + region.width / 2)) * place.aspect
    low = sample_points(rows, SAMPLES)[:, None] - (region.y + region.height / 2)
    cos, sin = math.cos(math.radians(region.rotation)), math.sin(math.radians(region.rotation))
    along, down = right * cos + low * sin, low * cos - right * sin
    y = (down + region.height / 2 - place.crown) / place.head
    return thickness(place.build, along / place.head, y, place.seated) * (down.abs() <= region.height / 2)
