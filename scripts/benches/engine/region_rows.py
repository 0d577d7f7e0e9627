"""Rows of what masks of regions cost: an ellipse and a turned box against a box, and the memory beside the masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ....attention.regions.masks import cells_of
from ....attention.regions.region import Region, rasterise
from ....attention.regions.shares import token_shares
from ...figures.verdict import Figure, Row
from .allocations import allocated_peak
from .timing import process_seconds, ratio_figure

SIDE = 2048  # pixels
BOX = Region("box", "box", 0.1, 0.15, 0.8, 0.7)
OUTLINES = {
    "an ellipse": Region("ellipse", "ellipse", 0.1, 0.15, 0.8, 0.7),
    "a turned box": Region("turned", "box", 0.1, 0.15, 0.8, 0.7, rotation=25),
}
MANY = tuple(Region(str(n), "ellipse", 0.01 * n, 0.1, 0.3, 0.8, rotation=n) for n in range(64))
PAIRS = 10
BYTES = SIDE * SIDE * 4  # of a mask
RATIO_BOUND, ONE_BOUND, MANY_BOUND = 5.0, 50.0, 100.0


def region_rows() -> Iterator[Row]:
    """A mask of each outline by process time and memory, 64 masks by memory, and 64 people's shares of a layer."""
    for name, region in OUTLINES.items():

        def ratio(region: Region = region) -> Figure:
            return ratio_figure(_in_turns(region))

        def beside(region: Region = region) -> Figure:
            return _beside_masks([region])

        yield Row(f"Regions at {SIDE} px: {name} against a box", "x", ratio, RATIO_BOUND)
        yield Row(f"Regions at {SIDE} px: memory beside the mask of {name}", "MB", beside, ONE_BOUND, least_samples=1)
    many = f"Regions at {SIDE} px: memory beside the masks of {len(MANY)} ellipses"
    yield Row(many, "MB", lambda: _beside_masks(MANY), MANY_BOUND, least_samples=1)
    shares = f"Regions at {SIDE} px: memory of {len(MANY)} ellipses' shares of the finest layer"
    yield Row(shares, "MB", _of_shares, MANY_BOUND, least_samples=1)


def _in_turns(region: Region) -> dict[str, list[float]]:
    """Seconds of the box's mask and of the region's, in turns."""
    both = {"plain": [BOX], "patched": [region]}
    for regions in both.values():
        rasterise(regions, SIDE, SIDE)
    found: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(PAIRS):
        for name, regions in both.items():
            found[name].append(process_seconds(lambda regions=regions: rasterise(regions, SIDE, SIDE)))
    return found


def _beside_masks(regions: Sequence[Region]) -> Figure:
    return _exactly((allocated_peak(lambda: rasterise(regions, SIDE, SIDE)) - len(regions) * BYTES) / 1e6)


def _of_shares() -> Figure:
    cells = cells_of((SIDE // 8, SIDE // 8), (SIDE // 8, SIDE // 8))
    return _exactly(allocated_peak(lambda: token_shares(MANY, cells, "priority")) / 1e6)


def _exactly(value: float) -> Figure:
    return Figure(value, value, value, 1)
