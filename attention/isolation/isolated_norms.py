"""Layers that keep people apart as self-attention does (attention.isolation.token_groups), and group norms among them.

In a UNet, self-attention is not the only way from one person to another. A convolution reads the cells around each
cell, and a group norm the mean and variance of the whole picture. Here a cell reads what its people may see alone:

    convolution : what lies beyond the border counts as 0, as beyond the picture's edge (isolated_convolutions.py)
    group norm  : mean and variance are those of the cells that are seen
    out         = eta * plain + (1 - eta) * isolated, as eta weighs the tokens of others
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .token_groups import groups_of, hidden_from

Grid = tuple[int, int]
Layer = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Side:
    """Cells that belong to the same people and may not read everything.

    cells : [H', W'] bool, of a layer's output
    seen  : [H, W] bool, the cells of its input that they may read
    """

    cells: Tensor
    seen: Tensor


def sides_of(read: Tensor, written: Tensor, background: str) -> tuple[Side, ...]:
    """The sides of a layer; none where everybody sees everything.

    read, written : [H, W, M], [H', W', M] bool, whose each cell of the input and of the output is
    background    : a name from isolation.BACKGROUNDS
    """
    sides = []
    for people, cells in groups_of(written.flatten(0, 1)):
        hidden = hidden_from(people, read.flatten(0, 1), background)
        if hidden.any():
            sides.append(Side(cells.view(written.shape[:2]), ~hidden.view(read.shape[:2])))
    return tuple(sides)


def enlarged(owned: Tensor, grid: Grid) -> Tensor:
    """Whose each cell is after nearest-neighbour enlargement: [h, w, M] bool -> [H, W, M] bool."""
    return F.interpolate(owned.permute(2, 0, 1)[None].float(), grid, mode="nearest")[0].permute(1, 2, 0) > 0.5


@dataclass(frozen=True, eq=False)
class NormCut:
    """The cells of one side of a group norm.

    cells : [n] int64, its cells in the picture
    seen  : [m] int64, the cells whose mean and variance count
    inner : [n] int64, where its cells lie among those
    """

    cells: Tensor
    seen: Tensor
    inner: Tensor

    def to(self, device: torch.device) -> NormCut:
        """The same on a device."""
        return NormCut(self.cells.to(device), self.seen.to(device), self.inner.to(device))


def norm_cuts(sides: Sequence[Side]) -> tuple[NormCut, ...]:
    """The cells of every side of a layer whose input and output have the same grid."""
    cuts = []
    for side in sides:
        seen = side.seen.flatten()
        cells = (side.cells.flatten() & seen).nonzero().flatten()
        cuts.append(NormCut(cells, seen.nonzero().flatten(), (seen.cumsum(0) - 1)[cells]))
    return tuple(cuts)


def isolated_norm(norm: Layer, x: Tensor, cuts: Sequence[NormCut], eta: float) -> Tensor:
    """A group norm in which every side has a mean and a variance of its own: [B, C, H, W] -> [B, C, H, W]."""
    if not cuts:
        return norm(x)
    flat = x.flatten(2)
    needed = eta > 0 or sum(len(cut.cells) for cut in cuts) < flat.shape[2]
    out = norm(x).flatten(2) if needed else torch.empty_like(flat)
    for cut in cuts:
        anew = norm(flat.index_select(2, cut.seen)).index_select(2, cut.inner)
        out.index_copy_(2, cut.cells, mixed(anew, out.index_select(2, cut.cells), eta) if eta else anew)
    return out.view(x.shape)


def mixed(anew: Tensor, plain: Tensor, eta: float) -> Tensor:
    """A severed layer's output and the plain one's, by their weights."""
    return torch.lerp(anew, plain, eta) if eta else anew
