"""The part of every cell that an ellipse or a turned box covers, exactly, from where its outline crosses cells' edges.

Cut at every edge that it crosses, an outline falls into pieces that lie in one cell each. By Green's theorem a piece
that climbs by d rows adds d times what lies to its right: a part of its own cell, and all of the cells behind that one.
An arc adds what lies between itself and its chord besides. So the work grows with the sides of a picture and with what
is written, not with points inside of cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

BAND = 1 << 19  # cells that are worked on at a time: 4 MB in float64
ROUNDING = 1e-9  # what is less than this part of a cell is a rounding error


@dataclass(frozen=True)
class Outline:
    """A parallelogram, or the ellipse inscribed in it; all as (right, down) in fractions of the picture.

    first, second : from the centre to the middle of two sides, the second clockwise from the first
    """

    centre: tuple[float, float]
    first: tuple[float, float]
    second: tuple[float, float]
    curved: bool


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of an outline: the cell of each [P], how far it climbs in rows, what it adds to its cell."""

    row: Tensor
    column: Tensor
    climbs: Tensor
    within: Tensor


@dataclass(frozen=True, eq=False)
class _Path:
    """An outline in pieces of one cell each, clockwise, all [P].

    down             : from where a piece begins to where it ends
    middle_x         : halfway on the chord between these
    inner_x, inner_y : a point of the piece itself, which says its cell; a chord may lie on a cell's edge
    bulge            : the area between a piece and its chord
    """

    down: Tensor
    middle_x: Tensor
    inner_x: Tensor
    inner_y: Tensor
    bulge: Tensor


def bands(height: int, width: int) -> Iterator[slice]:
    """The rows of a grid in parts of at most BAND cells, at least one row each."""
    step = max(1, BAND // max(width, 1))
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def cover(outline: Outline, rows: Tensor, columns: Tensor, out: Tensor) -> None:
    """Write the covered part of each cell into `out`, which is 0 before.

    rows, columns : [H + 1], [W + 1] float64, rising edges of the cells in fractions of the picture
    out           : [H, W] float32
    """
    pieces = _pieces(outline, rows, columns)
    if not len(pieces.row):
        return
    left, right = int(pieces.column.min()), int(pieces.column.max()) + 1
    top, bottom = int(pieces.row.min()), int(pieces.row.max()) + 1
    inside = out[top:bottom, left:right]
    for band in bands(*inside.shape):
        inside[band] = _summed(pieces, band.start + top, band.stop + top, left, right)


def _summed(pieces: _Pieces, top: int, bottom: int, left: int, right: int) -> Tensor:
    """[bottom - top, right - left] float64, what the pieces of some rows cover."""
    own = (pieces.row >= top) & (pieces.row < bottom)
    width = right - left + 1  # one column more, for what goes on behind the last
    cells = (pieces.row[own] - top) * width + pieces.column[own] - left
    steps = torch.zeros((bottom - top) * width, dtype=torch.float64)
    steps.index_add_(0, cells, pieces.within[own])
    steps.index_add_(0, cells + 1, pieces.climbs[own] - pieces.within[own])
    return F.threshold_(steps.view(-1, width).cumsum(1)[:, :-1], ROUNDING, 0.0)


def _pieces(outline: Outline, rows: Tensor, columns: Tensor) -> _Pieces:
    """The pieces within the rows of the grid; those left of it stand in the first column, and none right of it adds."""
    path = _arcs(outline, rows, columns) if outline.curved else _edges(outline, rows, columns)
    row = torch.searchsorted(rows, path.inner_y, right=True) - 1
    kept = (row >= 0) & (row < len(rows) - 1)
    row, inner_x, middle_x = row[kept], path.inner_x[kept], path.middle_x[kept]
    high, last = rows.diff()[row], len(columns) - 2
    column = torch.searchsorted(columns, inner_x, right=True) - 1
    left, right = column < 0, column > last
    column = column.clamp(0, last)
    wide = columns.diff()[column]
    behind = ((columns[column + 1] - middle_x) / wide).masked_fill(left, 1.0)
    climbs = -path.down[kept] / high  # up along the left side, where what is inside begins
    within = climbs * behind + (path.bulge[kept] / (high * wide)).masked_fill(left, 0.0)
    return _Pieces(row, column, climbs.masked_fill(right, 0.0), within.masked_fill(right, 0.0))


def _edges(outline: Outline, rows: Tensor, columns: Tensor) -> _Path:
    """The sides of a parallelogram, clockwise, cut at all crossings."""
    signs = rows.new_tensor([[1, -1], [1, 1], [-1, 1], [-1, -1]])
    corners = rows.new_tensor(outline.centre) + signs @ rows.new_tensor([outline.first, outline.second])
    (x0, y0), (x1, y1) = (at.T[..., None] for at in (corners, corners.roll(-1, 0)))  # [4, 1] each
    at = torch.cat([(columns - x0) / (x1 - x0), (rows - y0) / (y1 - y0)], 1).nan_to_num(0.0)
    at = F.pad(at.clamp(0, 1).sort(1).values, (1, 1))
    at[:, -1] = 1
    x, y = torch.lerp(x0, x1, at), torch.lerp(y0, y1, at)
    middle_x, middle_y = (((along[:, 1:] + along[:, :-1]) / 2).flatten() for along in (x, y))
    return _Path(y.diff().flatten(), middle_x, middle_x, middle_y, torch.zeros_like(middle_x))


def _arcs(outline: Outline, rows: Tensor, columns: Tensor) -> _Path:
    """An ellipse, clockwise, cut at all crossings."""
    angles = []
    for axis, edges in ((0, columns), (1, rows)):
        to_first, to_second = outline.first[axis], outline.second[axis]
        reach = max(math.hypot(to_first, to_second), 1e-300)
        off = ((edges - outline.centre[axis]) / reach).clamp(-1, 1).acos()
        middle = math.atan2(to_second, to_first)
        angles += [middle - off, middle + off]
    at = (torch.cat(angles) % (2 * math.pi)).sort().values
    at = torch.cat([at, at[:1] + 2 * math.pi])
    (x, y), inner = _at(outline, at), _at(outline, (at[1:] + at[:-1]) / 2)
    turned = at.diff()
    double = outline.first[0] * outline.second[1] - outline.first[1] * outline.second[0]
    return _Path(y.diff(), (x[1:] + x[:-1]) / 2, *inner, double / 2 * (turned - turned.sin()))


def _at(outline: Outline, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Points of an ellipse."""
    return tuple(
        outline.centre[axis] + outline.first[axis] * angles.cos() + outline.second[axis] * angles.sin()
        for axis in (0, 1)
    )
