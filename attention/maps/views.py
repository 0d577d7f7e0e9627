"""What is shown of recorded maps: chosen layers and steps, scaled so that people compare."""

from __future__ import annotations

import torch
from torch import Tensor

from .attribution_maps import ActionMaps, resized

ALL = "all"
KINDS = (ALL, "input", "middle", "output")
TINY = 1e-30


def acted(maps: ActionMaps, kind: str = ALL, start: float = 0.0, end: float = 1.0) -> Tensor:
    """Where each member acted, [M, B, H, W]; 1 is the strongest point of any member in a picture.

    kind       : of layers, one of KINDS; each group of layers counts alike, as energies of layers do not compare
    start, end : the part of the steps, in fractions
    Raises ValueError for a part without a step.
    """
    return _to_one(_scaled(maps, kind)[_columns(maps, start, end)].mean(0), (0, 2, 3))


def by_step(maps: ActionMaps, kind: str = ALL) -> Tensor:
    """The same for each column of steps, [S, M, B, H, W]; 1 is the strongest point of any member in any step."""
    return _to_one(_scaled(maps, kind), (0, 1, 3, 4))


def by_group(maps: ActionMaps, start: float = 0.0, end: float = 1.0) -> list[Tensor]:
    """The same for each layer group, [M, B, H, W] on its own grid; 1 is the strongest point in that group."""
    columns = _columns(maps, start, end)
    return [_to_one(means[columns].mean(0), (0, 2, 3)) for means in maps.means]


def step_labels(maps: ActionMaps) -> list[str]:
    """What the columns of steps are called."""
    return [f"step {first}" if first == last else f"steps {first}-{last}" for first, last in maps.steps]


def group_labels(maps: ActionMaps) -> list[str]:
    """What the layer groups are called: where they are and the size of their grid, columns by rows."""
    return [f"{kind} {columns}x{rows}" for (kind, _), (rows, columns) in zip(maps.groups, maps.grids, strict=True)]


def _scaled(maps: ActionMaps, kind: str) -> Tensor:
    """[S, M, B, H, W] over the layer groups of a kind, each scaled to at most 1 in every picture."""
    chosen = [own for own, (of, _) in zip(maps.means, maps.groups, strict=True) if kind in (ALL, of)]
    if not chosen:
        raise ValueError(f"this model has no {kind} layers that attend to a prompt. Choose other layers.")
    size = max(own.shape[-2:] for own in chosen)
    return torch.stack([resized(_to_one(own, (0, 1, 3, 4)), size) for own in chosen]).mean(0)


def _columns(maps: ActionMaps, start: float, end: float) -> list[int]:
    steps = maps.steps[-1][1]
    found = [
        column for column, (first, last) in enumerate(maps.steps) if first - 1 < end * steps and last > start * steps
    ]
    if not found or start >= end:
        raise ValueError(f"from {start:g} to {end:g} of the schedule there is no step. Set 'end' above 'start'.")
    return found


def _to_one(energies: Tensor, over: tuple[int, ...]) -> Tensor:
    return energies / energies.amax(over, keepdim=True).clamp(min=TINY)
