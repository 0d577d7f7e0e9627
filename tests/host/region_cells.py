"""Which cells of a layer an upright box touches, counted cell by cell; and whether a cast changed any other."""

from __future__ import annotations

import torch
from pack.attention.regions.region import Region
from torch import Tensor


def touched(
    region: Region, grid: tuple[int, int], latent: tuple[int, int], area: tuple[int, int, int, int] | None = None
) -> Tensor:
    """[H, W] bool: the cells of a layer's grid that share some latent cell, or a part of one, with a box.

    latent : rows and columns of the whole latent picture
    area   : height, width, top and left of the crop that the layer sees, in latent cells
    """
    height, width, top, left = area or (*latent, 0, 0)
    rows = _axis(grid[0], height, top, region.y * latent[0], (region.y + region.height) * latent[0])
    columns = _axis(grid[1], width, left, region.x * latent[1], (region.x + region.width) * latent[1])
    return torch.outer(rows, columns)


def _axis(count: int, length: int, start: int, low: float, high: float) -> Tensor:
    merged = next(2**halvings for halvings in range(9) if -(-length // 2**halvings) == count)
    edges = [start + min(cell * merged, length) for cell in range(count + 1)]
    return torch.tensor([min(edges[n + 1], high) - max(edges[n], low) > 1e-6 for n in range(count)])


def assert_only_inside(calls: list, regions, latent, area=None, images=1, least: int = 1) -> None:
    """Every layer call changed nothing outside the regions, and the finest layers changed the cells inside.

    A person's gate may be 0 in the one cell of its lowest score, and is 0 everywhere where all scores are the same, as
    in a layer of one cell: so the finest layers may leave out a cell per region, and the coarser ones are not asked.

    calls : from layer_recorder.record_layers
    least : calls that must have been there, so that the test cannot pass on none
    """
    assert len(calls) >= least
    finest = max(call.grid for call in calls)
    for call in calls:
        inside = torch.stack([touched(region, call.grid, latent, area) for region in regions]).any(0)
        change = (call.after - call.before).unflatten(1, call.grid)
        assert change.shape[0] == images * len(call.groups)
        assert torch.equal(change[:, ~inside], torch.zeros_like(change[:, ~inside]))
        if call.grid == finest:
            assert (change[:, inside] == 0).all(-1).sum(1).max() <= len(regions)
