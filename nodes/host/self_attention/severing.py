"""Where the convolutions and group norms of one sampling run may not read across borders between people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ....attention.isolation import Isolation, owners
from ....attention.severed import Grid, Layer, enlarged, norm_cuts, severed_norm, sides_of
from ....attention.severed_convolution import convolution_cut, severed_convolution
from ..cast.cast_call import Call
from ..cast.roles import Area

Shares = Callable[[Grid, Grid, Area | None], Tensor]


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
class RowCut:
    """Rows of a batch whose regions lie alike, None for all of them, and how their layer is computed."""

    rows: Tensor | None
    sever: Callable[[Layer, Tensor], Tensor]


class CutRun:
    """How layers of every kind are severed on every grid of one run; made once."""

    def __init__(self, isolation: Isolation, shares: Shares) -> None:
        self._isolation = isolation
        self._shares = shares
        self._made: dict[tuple, tuple[RowCut, ...]] = {}

    def close(self) -> None:
        """Let go of every tensor."""
        self._made.clear()

    def severed(self, kind: Kind, layer: Layer, x: Tensor, call: Call) -> Tensor:
        """What a layer makes of x when people are kept apart.

        x : [B, C, H, W] all rows of the call; those that another pack repeated are left alone
        """
        read, written = (x.shape[-2], x.shape[-1]), kind.written(x.shape[-2:])
        if len(x) != len(call.rows) * call.images or max(written) > self._isolation.cells:
            return layer(x)
        parts = self._cuts(kind, read, written, call, x.device)
        if parts[0].rows is None:
            return parts[0].sever(layer, x)
        made = [part.sever(layer, x.index_select(0, part.rows)) for part in parts]
        return torch.cat(made).index_select(0, torch.cat([part.rows for part in parts]).argsort())

    def _cuts(self, kind: Kind, read: Grid, written: Grid, call: Call, device: torch.device) -> tuple[RowCut, ...]:
        key = (kind, read, written, call.latent, call.rows, call.images, device)
        if key not in self._made:
            areas = call.rows_by(lambda row: row.area)
            self._made[key] = tuple(
                RowCut(
                    torch.tensor(rows, device=device) if len(areas) > 1 else None,
                    self._of(kind, read, written, call.latent, area, device),
                )
                for area, rows in areas.items()
            )
        return self._made[key]

    def _of(self, kind: Kind, read: Grid, written: Grid, latent: Grid, area: Area | None, device: torch.device):
        if kind.enlarges:
            small = (-(-read[0] // 2), -(-read[1] // 2))
            before = enlarged(self._owned(small, latent, area), read)
        else:
            before = self._owned(read, latent, area)
        sides = sides_of(before, self._owned(written, latent, area), self._isolation.background)
        eta = self._isolation.eta
        if kind.kernel is None:
            norms = tuple(cut.to(device) for cut in norm_cuts(sides))
            return lambda layer, x: severed_norm(layer, x, norms, eta)
        cut = convolution_cut(sides, kind.kernel, kind.stride, kind.padding, eta).to(device)
        return lambda layer, x: severed_convolution(layer, x, cut, eta)

    def _owned(self, grid: Grid, latent: Grid, area: Area | None) -> Tensor:
        return owners(self._shares(grid, latent, area)).unflatten(0, grid)
