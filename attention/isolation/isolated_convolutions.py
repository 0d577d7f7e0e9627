"""Convolutions that keep people apart (isolated_norms.py): all that has to be computed, side by side in one call.

A convolution is linear, so what its kernel finds beyond a border is left out by setting it to 0. Cells at a border are
cut out with the cells around them, and laid beside the picture, or each side of a border is laid beside the other. One
call then convolves everything: on small grids most of a convolution's time goes into reading its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .isolated_norms import Grid, Layer, Side, mixed

Place = tuple[slice, slice]


@dataclass(frozen=True)
class Kind:
    """What a layer reads around a cell. A group norm has no kernel: it reads the whole picture.

    enlarges : its input was made twice as large just before it, cell by cell
    """

    kernel: Grid | None = None
    stride: Grid = (1, 1)
    padding: Grid = (0, 0)
    enlarges: bool = False

    def written(self, read: Sequence[int]) -> Grid:
        """Rows and columns of the output, from those of the input."""
        if self.kernel is None:
            return read[0], read[1]
        sides = zip(read, self.kernel, self.stride, self.padding, strict=True)
        rows, columns = ((length + 2 * pad - size) // step + 1 for length, size, step, pad in sides)
        return rows, columns


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of the input that is convolved by itself, and the cells of the output that come from it.

    cells  : [a, b] bool, those of the window
    seen   : [c, d] bool, of the part
    window : rows and columns of the output
    part   : rows and columns of the input
    inner  : where the window lies in what the convolution makes of all pieces
    """

    cells: Tensor
    seen: Tensor
    window: Place
    part: Place
    inner: Place

    def to(self, device: torch.device) -> Piece:
        """The same on a device."""
        return replace(self, cells=self.cells.to(device), seen=self.seen.to(device))


@dataclass(frozen=True, eq=False)
class ConvolutionCut:
    """How a isolated convolution is computed: all pieces in one call, so that its weights are read once.

    pieces : none for a plain convolution
    axis   : pieces lie side by side along -1 (columns) or -2 (rows), or 0: as rows of the batch
    whole  : the input as it is lies before them; else every cell of the output comes from a piece
    gutter : zeros before each piece, as beyond the picture's edge
    length : of all of them along the other side of the picture
    """

    pieces: tuple[Piece, ...] = ()
    axis: int = -1
    whole: bool = True
    gutter: int = 0
    length: int = 0

    def to(self, device: torch.device) -> ConvolutionCut:
        """The same on a device."""
        return replace(self, pieces=tuple(piece.to(device) for piece in self.pieces))

    @property
    def extent(self) -> int:
        """How far all pieces reach, times the length across."""
        return self.length * (self.pieces[-1].inner[self.axis].stop if self.pieces else 0)


def convolution_cut(
    sides: Sequence[Side], kernel: Grid, stride: Grid, padding: Grid, eta: float = 0.0
) -> ConvolutionCut:
    """What a convolution with zero padding computes, the cheapest of four ways.

    Along columns or rows, beside the whole input the strips at the borders, whose kernels reach across; or each side by
    itself, where these make up the picture and the whole is not needed (eta 0).
    """
    if stride != (1, 1) or any(size != 2 * pad + 1 for size, pad in zip(kernel, padding, strict=True)):
        return _in_a_batch(sides)
    strips = []
    for side in sides:
        near = F.max_pool2d((~side.seen)[None, None].float(), kernel, 1, padding)[0, 0] > 0
        if (near & side.cells).any():
            strips.append(Side(near & side.cells, side.seen))
    if not strips:
        return ConvolutionCut()
    ways = [_in_a_row(strips, padding, axis, True) for axis in (-1, -2)]
    if eta == 0 and torch.stack([side.cells for side in sides]).any(0).all():
        ways += [_in_a_row(sides, padding, axis, False) for axis in (-1, -2)]
    return min(ways, key=lambda way: way.extent)


def _in_a_batch(sides: Sequence[Side]) -> ConvolutionCut:
    pieces = []
    for side in sides:
        window, part = (_slices([(0, length) for length in cells.shape]) for cells in (side.cells, side.seen))
        pieces.append(Piece(side.cells, side.seen, window, part, window))
    return ConvolutionCut(tuple(pieces), 0)


def _in_a_row(sides: Sequence[Side], padding: Grid, axis: int, whole: bool) -> ConvolutionCut:
    """Each side's cells with those around them that its kernel reads."""
    shape = sides[0].seen.shape
    pieces, first = [], shape[axis] if whole else 0
    for side in sides:
        spans = [_span(side.cells, along) for along in (0, 1)]
        parts = [
            (max(start - pad, 0), min(stop + pad, length))
            for (start, stop), pad, length in zip(spans, padding, shape, strict=True)
        ]
        first += padding[axis]
        offsets = [-start for start, _ in parts]
        offsets[axis] += first
        inner = _slices([(start + by, stop + by) for (start, stop), by in zip(spans, offsets, strict=True)])
        window, part = _slices(spans), _slices(parts)
        pieces.append(Piece(side.cells[window], side.seen[part], window, part, inner))
        first += parts[axis][1] - parts[axis][0]
    return ConvolutionCut(tuple(pieces), axis, whole, padding[axis], shape[-3 - axis])


def isolated_convolution(convolution: Layer, x: Tensor, cut: ConvolutionCut, eta: float) -> Tensor:
    """A convolution that does not reach across borders: [B, C, H, W] -> [B, C', H', W']."""
    if not cut.pieces:
        return convolution(x)
    given = [x[..., piece.part[0], piece.part[1]] * piece.seen for piece in cut.pieces]
    if cut.axis == 0:
        out, *made = convolution(torch.cat([x, *given])).chunk(1 + len(given))
        out = out.clone()
    else:
        given = [F.pad(part, _margins(cut, part)) for part in given]
        everything = convolution(torch.cat([x, *given] if cut.whole else given, cut.axis))
        made = [everything] * len(given)
        out = everything[..., : x.shape[-2], : x.shape[-1]].clone(memory_format=torch.contiguous_format)
    for piece, part in zip(cut.pieces, made, strict=True):
        window, anew = out[..., piece.window[0], piece.window[1]], part[..., piece.inner[0], piece.inner[1]]
        window.copy_(torch.where(piece.cells, mixed(anew, window, eta), window))
    return out


def _margins(cut: ConvolutionCut, part: Tensor) -> tuple[int, int, int, int]:
    """What F.pad puts before and behind a piece: columns, then rows."""
    if cut.axis == -1:
        return cut.gutter, 0, 0, cut.length - part.shape[-2]
    return 0, cut.length - part.shape[-1], cut.gutter, 0


def _span(cells: Tensor, axis: int) -> tuple[int, int]:
    """From the first to behind the last row (axis 0) or column (axis 1) that has a cell."""
    found = cells.any(1 - axis).nonzero().flatten()
    return int(found[0]), int(found[-1]) + 1


def _slices(spans: Sequence[tuple[int, int]]) -> Place:
    rows, columns = (slice(*span) for span in spans)
    return rows, columns
