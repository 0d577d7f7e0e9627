"""Where the convolutions and group norms of one sampling run may not read across borders between people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ....attention.isolation import Isolation, owners
from ....attention.severed import (
    ConvolutionCut,
    Grid,
    Layer,
    NormCut,
    convolution_cuts,
    enlarged,
    norm_cuts,
    severed_convolution,
    severed_norm,
    sides_of,
)
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


@dataclass(frozen=True, eq=False)
class RowCuts:
    """Rows of a batch whose regions lie alike, None for all of them, and where their layer is cut."""

    rows: Tensor | None
    cuts: tuple[ConvolutionCut, ...] | tuple[NormCut, ...]


class CutRun:
    """The cuts of one run, for every kind of layer on every grid; made once."""

    def __init__(self, isolation: Isolation, shares: Shares) -> None:
        self._isolation = isolation
        self._shares = shares
        self._made: dict[tuple, tuple[RowCuts, ...]] = {}

    def close(self) -> None:
        """Let go of every tensor."""
        self._made.clear()

    def severed(self, kind: Kind, layer: Layer, onto: Tensor, x: Tensor, call: Call) -> Tensor:
        """What a layer makes of x when people are kept apart.

        onto : [B, C', H', W'] what it makes of x otherwise; may be written into
        x    : [B, C, H, W] all rows of the call; those that another pack repeated are left alone
        """
        read, written = tuple(x.shape[-2:]), tuple(onto.shape[-2:])
        if len(x) != len(call.rows) * call.images or max(written) > self._isolation.cells:
            return onto
        sever = severed_norm if kind.kernel is None else severed_convolution
        for part in self._cuts(kind, read, written, call, x.device):
            if not part.cuts:
                continue
            if part.rows is None:
                return sever(onto, layer, x, part.cuts, self._isolation.eta)
            own, given = (t.index_select(0, part.rows) for t in (onto, x))
            onto = onto.index_copy(0, part.rows, sever(own, layer, given, part.cuts, self._isolation.eta))
        return onto

    def _cuts(self, kind: Kind, read: Grid, written: Grid, call: Call, device: torch.device) -> tuple[RowCuts, ...]:
        key = (kind, read, written, call.latent, call.rows, call.images, device)
        if key not in self._made:
            areas: dict[Area | None, list[int]] = {}
            for group, row in enumerate(call.rows):
                areas.setdefault(row.area, []).extend(range(group * call.images, (group + 1) * call.images))
            self._made[key] = tuple(
                RowCuts(
                    torch.tensor(rows, device=device) if len(areas) > 1 else None,
                    tuple(cut.to(device) for cut in self._of(kind, read, written, call.latent, area)),
                )
                for area, rows in areas.items()
            )
        return self._made[key]

    def _of(self, kind: Kind, read: Grid, written: Grid, latent: Grid, area: Area | None):
        if kind.enlarges:
            small = (-(-read[0] // 2), -(-read[1] // 2))
            before = enlarged(self._owned(small, latent, area), read)
        else:
            before = self._owned(read, latent, area)
        sides = sides_of(before, self._owned(written, latent, area), self._isolation.background)
        return (
            norm_cuts(sides) if kind.kernel is None else convolution_cuts(sides, kind.kernel, kind.stride, kind.padding)
        )

    def _owned(self, grid: Grid, latent: Grid, area: Area | None) -> Tensor:
        return owners(self._shares(grid, latent, area)).unflatten(0, grid)
