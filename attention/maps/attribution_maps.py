"""Where identities acted while a picture was sampled: energies summed by layer group and step, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .step_columns import column_count, step_spans

MOST_SIDE = 64  # cells along the longer side of a map
MOST_BYTES = 32 << 20  # of the sums of one cast in one sampling run; beyond it maps are made coarser

Grid = tuple[int, int]
Group = tuple[str, int]
"""Layers of one size: "input", "middle" or "output", and how often the picture was halved before them."""


@dataclass(frozen=True, eq=False)
class ActionMaps:
    """What a sampling run recorded.

    names  : [M] of the members
    groups : the layer groups
    grids  : rows and columns of the tokens in each group
    steps  : of each column of steps the first and the last, from 1
    means  : of each group [S, M, B, H, W] float32, energy per layer call; 0 where nobody acted
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    grids: tuple[Grid, ...]
    steps: tuple[tuple[int, int], ...]
    means: tuple[Tensor, ...]


class ActionSums:
    """The sums of one cast in one sampling run, on the device or devices where they are made.

    On each they take at most MOST_BYTES = 32 MiB: 4 bytes times (members times pictures, and 1) times at most 16
    columns of steps times the cells of all groups, at most 64 x 64 each. Two people at SD1.5 and 512 px take 1.2 MiB.
    """

    def __init__(self, grids: Mapping[Group, Grid], members: int, images: int, steps: int) -> None:
        """grids: of the layers' tokens; steps: of the whole run."""
        self.grids = dict(grids)
        self.images = images
        self.columns = column_count(steps)
        side = map_side(list(grids.values()), self.columns * (members * images + 1))
        self._shape = {group: (self.columns, members, images, *shrunk(grid, side)) for group, grid in grids.items()}
        self._sums: dict[tuple[Group, torch.device], Tensor] = {}
        self._visits: dict[tuple[Group, torch.device], Tensor] = {}

    def add(self, group: Group, energy: Tensor, column: Tensor, span: tuple[slice, slice] | None = None) -> None:
        """Add what one layer call measured; asks nothing of the device.

        energy : [M, images, h, w]; where it is of fewer or more pictures than the run, each has their mean
        column : [1] int64 on the device, of the step
        span   : rows and columns of the map that the call saw, for a crop (`span_of`); None for all
        """
        shape, here = self._shape[group], (group, energy.device)
        if here not in self._sums:
            self._sums[here] = torch.zeros(shape, device=energy.device)
            self._visits[here] = torch.zeros(shape[0], *shape[3:], device=energy.device)
        rows, columns = span or (slice(0, shape[3]), slice(0, shape[4]))
        size = (rows.stop - rows.start, columns.stop - columns.start)
        part = energy if energy.shape[-2:] == size else F.adaptive_avg_pool2d(energy, size)
        if part.shape[1] != shape[2]:
            part = part.mean(1, keepdim=True).expand(-1, shape[2], -1, -1)
        self._sums[here][..., rows, columns].index_add_(0, column, part[None])
        self._visits[here][:, rows, columns].index_add_(0, column, torch.ones(1, *size, device=energy.device))

    def size(self, group: Group) -> Grid:
        """Rows and columns of a group's map."""
        return self._shape[group][3:]

    def means(self) -> list[Tensor]:
        """[S, M, B, H, W] of every group, energy per layer call, on the CPU."""
        return [self._mean(group) for group in self.grids]

    def clear(self) -> None:
        """Let go of every tensor."""
        self._sums.clear()
        self._visits.clear()

    def _mean(self, group: Group) -> Tensor:
        places = [place for place in self._sums if place[0] == group]
        if not places:
            return torch.zeros(self._shape[group])
        energy, visits = (sum(sums[place].cpu() for place in places) for sums in (self._sums, self._visits))
        return energy / visits[:, None, None].clamp(min=1)


def joined_maps(names: Sequence[str], sums: Sequence[ActionSums], steps: int) -> ActionMaps:
    """The maps of the casts of one run, at least one, with their members one after the other."""
    grids = sums[0].grids
    means = []
    for parts in zip(*(own.means() for own in sums), strict=True):
        size = max(part.shape[-2:] for part in parts)
        means.append(torch.cat([resized(part, size) for part in parts], 1))
    return ActionMaps(tuple(names), tuple(grids), tuple(grids.values()), step_spans(steps), tuple(means))


def map_side(grids: Sequence[Grid], maps: int) -> int:
    """The longest side at which `maps` maps of every grid, 4 bytes a cell, stay within MOST_BYTES."""
    side = MOST_SIDE
    while (
        side > 1 and 4 * maps * sum(rows * columns for rows, columns in (shrunk(g, side) for g in grids)) > MOST_BYTES
    ):
        side //= 2
    return side


def shrunk(grid: Grid, side: int) -> Grid:
    """A grid made coarser by the whole number that brings its longer side to at most `side` cells."""
    factor = -(-max(grid) // side)
    return -(-grid[0] // factor), -(-grid[1] // factor)


def span_of(area: tuple[int, int, int, int], latent: Grid, size: Grid) -> tuple[slice, slice]:
    """The cells of a map of `size` that a crop touches; area is height, width, top and left in latent cells."""
    height, width, top, left = area
    return _span(top, height, latent[0], size[0]), _span(left, width, latent[1], size[1])


def _span(first: int, length: int, total: int, cells: int) -> slice:
    begin = min(int(first * cells // total), cells - 1)
    return slice(begin, max(begin + 1, min(cells, int(-(-(first + length) * cells // total)))))


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Maps [..., H, W] at another size, every point the value of the cell it lies in: what was 0 stays 0."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return F.interpolate(maps.flatten(0, -3)[:, None], tuple(size), mode="nearest-exact")[:, 0].unflatten(
        0, maps.shape[:-2]
    )
