"""How much of what an identity does in each layer lies outside of its region.

The same call is made with two casts that differ in one person. In the second call every layer gets the queries that
the same layer had in the first one, so what a layer's outcome changes by is that layer's own doing, not what it was
handed by the layers before it. Nothing else differs: text, noise and step are the same, and the change is taken from
what arrives at the layer's output projection, whoever computed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Recipe
from ....attention.regions.region import Region
from ...figures.verdict import Figure
from .counts import most
from .rigs import Rig
from .runs import Call, within_runs
from .structures import random_person
from .watching import cross_attentions

# Apart, of different heights, and off the edges of cells: a coarse cell may belong to two of them.
BOXES = (
    Region("left", x=0.03, y=0.2, width=0.28, height=0.8),
    Region("middle", x=0.36, y=0.1, width=0.27, height=0.45),
    Region("right", x=0.69, width=0.28),
)
NEWCOMER = 100


def hard_boxes() -> tuple[Member, ...]:
    """Three people in boxes."""
    return tuple(Member(random_person(seed), box) for seed, box in enumerate(BOXES))


def everywhere() -> tuple[Member, ...]:
    """The same people, each in the whole picture."""
    return tuple(replace(member, region=Region(member.region.name)) for member in hard_boxes())


def leak_figure(rig: Rig, recipe: Recipe, cast: Sequence[Member]) -> Figure:
    """The largest share of a change outside of its person's box, over all layers and each person changed in turn."""
    return most([share for index in range(len(cast)) for share in shares_outside(rig, recipe, tuple(cast), index)])


def shares_outside(rig: Rig, recipe: Recipe, cast: tuple[Member, ...], index: int) -> list[float]:
    """Layer by layer, the share of the change's energy outside of the box of person `index`, who is swapped.

    Layers so coarse that the box touches all of their cells are left out.
    """
    swapped = (*cast[:index], replace(cast[index], identity=random_person(NEWCOMER)), *cast[index + 1 :])
    shares = []
    for change in layer_changes(rig, rig.with_cast(recipe, cast), rig.with_cast(recipe, swapped)):
        outside = ~touched(BOXES[index], change.shape)
        if change.sum() == 0:
            raise RuntimeError("A swapped identity changed nothing in a layer: there is no leak to look for.")
        if outside.any():
            shares.append((change[outside].sum() / change.sum()).item())
    return shares


def touched(box: Region, grid: Sequence[int]) -> Tensor:
    """[H, W] bool: the cells that an upright box lies in, be it by a corner; what the box has in the picture."""

    def along(start: float, length: float, count: int) -> Tensor:
        edges = torch.linspace(0, 1, count + 1, dtype=torch.float64)
        return (edges[1:] > start + 1e-6) & (edges[:-1] < start + length - 1e-6)

    return torch.outer(along(box.y, box.height, grid[0]), along(box.x, box.width, grid[1]))


def layer_changes(rig: Rig, before: Any, after: Any) -> list[Tensor]:
    """For every layer [H, W] float64: the energy of its change from one patched model to another, cell by cell."""
    shape, layers = rig.shape, cross_attentions(rig.model)

    def job(first: Call, second: Call) -> list[Tensor]:
        queries, outcomes = [], []
        with _hooked(layers, "to_q", lambda _layer, _inputs, q: queries.append(q.clone())), _outcomes(layers, outcomes):
            first()
        with _hooked(layers, "to_q", lambda _layer, _inputs, _q: queries.pop(0)), _outcomes(layers, outcomes):
            second()
        count = len(outcomes) // 2
        pairs = zip(outcomes[:count], outcomes[count:], strict=True)
        return [_by_cell((one.double() - other.double()).square().sum((0, 2))) for one, other in pairs]

    return within_runs(shape.structure, [before, after], shape.size, job)


def _by_cell(energy: Tensor) -> Tensor:
    """[N] to [H, W] of a square picture."""
    side = round(len(energy) ** 0.5)
    return energy.cpu().view(side, side)


@contextmanager
def _hooked(layers: Sequence[Any], part: str, hook: Any) -> Iterator[None]:
    handles = [getattr(layer, part).register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _outcomes(layers: Sequence[Any], into: list[Tensor]) -> Iterator[None]:
    """Keep what arrives at the output projections."""
    with _hooked(layers, "to_out", lambda _layer, inputs, _out: into.append(inputs[0].clone())):
        yield
