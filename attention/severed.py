"""Convolutions and group norms that keep people apart, as self-attention does (attention.isolation).

In a UNet, self-attention is not the only way from one person to another. A convolution reads the cells around each
cell, and a group norm the mean and variance of the whole picture. Here a cell reads what its people may see alone:

    convolution : what lies beyond the border counts as 0, as beyond the picture's edge
    group norm  : mean and variance are those of the cells that are seen
    out         = eta * plain + (1 - eta) * severed, as eta weighs the tokens of others

Only cells at a border are computed anew in a convolution, so that it costs little more than a plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .isolation import groups_of, hidden_from

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
class ConvolutionCut:
    """The window of a convolution's output in which one side's cells have to be computed anew.

    cells  : [a, b] bool, those of the window
    seen   : [c, d] bool, of the part of the input that is read for it
    window : rows and columns of the output
    part   : rows and columns of the input
    inner  : where the window lies in what the convolution makes of the part
    """

    cells: Tensor
    seen: Tensor
    window: tuple[slice, slice]
    part: tuple[slice, slice]
    inner: tuple[slice, slice]

    def to(self, device: torch.device) -> ConvolutionCut:
        """The same on a device."""
        return ConvolutionCut(self.cells.to(device), self.seen.to(device), self.window, self.part, self.inner)


def convolution_cuts(sides: Sequence[Side], kernel: Grid, stride: Grid, padding: Grid) -> tuple[ConvolutionCut, ...]:
    """What has to be computed anew in a convolution with zero padding. Sides that read nothing hidden are left out."""
    cuts = []
    for side in sides:
        near = F.max_pool2d((~side.seen)[None, None].float(), kernel, stride, padding)[0, 0] > 0
        touched = near & side.cells
        if not touched.any():
            continue
        spans = [_span(touched, axis) for axis in (0, 1)]
        if stride != (1, 1) or any(size != 2 * pad + 1 for size, pad in zip(kernel, padding, strict=True)):
            spans = [(0, length) for length in touched.shape]  # windows of such a convolution do not line up
            parts = [(0, length) for length in side.seen.shape]
        else:
            parts = [
                (max(first - pad, 0), min(last + pad, length))
                for (first, last), pad, length in zip(spans, padding, side.seen.shape, strict=True)
            ]
        window, part = _slices(spans), _slices(parts)
        inner = _slices([(a - c, b - c) for (a, b), (c, _) in zip(spans, parts, strict=True)])
        cuts.append(ConvolutionCut(touched[window], side.seen[part], window, part, inner))
    return tuple(cuts)


def severed_convolution(
    onto: Tensor, convolution: Layer, x: Tensor, cuts: Sequence[ConvolutionCut], eta: float
) -> Tensor:
    """A convolution that does not reach across borders.

    onto : [B, C', H', W'] what the convolution makes of x; written into
    x    : [B, C, H, W]
    returns `onto`
    """
    for cut in cuts:
        anew = convolution(x[..., cut.part[0], cut.part[1]] * cut.seen)[..., cut.inner[0], cut.inner[1]]
        window = onto[..., cut.window[0], cut.window[1]]
        window.copy_(torch.where(cut.cells, _mixed(anew, window, eta), window))
    return onto


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


def severed_norm(onto: Tensor, norm: Layer, x: Tensor, cuts: Sequence[NormCut], eta: float) -> Tensor:
    """A group norm in which every side has a mean and a variance of its own.

    onto : [B, C, H, W] what the norm makes of x
    x    : [B, C, H, W]
    """
    flat, out = x.flatten(2), onto.flatten(2)
    for cut in cuts:
        anew = norm(flat.index_select(2, cut.seen)).index_select(2, cut.inner)
        out = out.index_copy(2, cut.cells, _mixed(anew, out.index_select(2, cut.cells), eta))
    return out.view(onto.shape)


def _mixed(anew: Tensor, plain: Tensor, eta: float) -> Tensor:
    return torch.lerp(anew, plain, eta) if eta else anew


def _span(cells: Tensor, axis: int) -> tuple[int, int]:
    """From the first to behind the last row (axis 0) or column (axis 1) that has a cell."""
    found = cells.any(1 - axis).nonzero().flatten()
    return int(found[0]), int(found[-1]) + 1


def _slices(spans: Sequence[tuple[int, int]]) -> tuple[slice, slice]:
    rows, columns = (slice(*span) for span in spans)
    return rows, columns
