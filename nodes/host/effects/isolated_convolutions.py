"""Effect: people kept apart in convolutions and group norms too, in the UNet and in ControlNets.

A knob of Apply Cast (Advanced), in no recipe. UNets alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ....attention.isolation.isolated_convolutions import Kind, convolution_cut, isolated_convolution
from ....attention.isolation.isolated_norms import Grid, Layer, enlarged, isolated_norm, norm_cuts, sides_of
from ....attention.isolation.token_groups import owners
from ....attention.recipes.recipe import Isolation
from ....attention.recipes.schedule import Window
from ..layers.in_force import Terms
from ..layers.isolated_layers import IsolatedLayer, isolate
from ..model.rows import Area, Call
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .shares import Shares


@dataclass(frozen=True, eq=False)
class IsolateConvolutions(Effect):
    """The layers' own settings are isolation's; `layers` are the patched clone's convolutions and group norms."""

    isolation: Isolation
    layers: tuple[IsolatedLayer, ...]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> IsolateConvolutions | None:
        """None where people are kept apart in self-attention alone."""
        isolation = given.recipe.isolation
        if not isolation.covers_everything:
            return None
        return cls(isolation, isolate(given.model), ((isolation.start, isolation.end),))

    def begin(self, session: Session) -> IsolationCache:
        """Its cuts of a run."""
        return IsolationCache(self, session.shares)


@dataclass(frozen=True, eq=False)
class RowCut:
    """Rows of a batch whose regions lie alike, None for all of them, and how their layer is computed."""

    rows: Tensor | None
    apply: Callable[[Layer, Tensor], Tensor]


class IsolationCache(EffectRun):
    """How layers of every kind are computed on every grid of one run; made once."""

    def __init__(self, effect: IsolateConvolutions, shares: Shares) -> None:
        super().__init__()
        self._effect = effect
        self._isolation = effect.isolation
        self._shares = shares

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With the convolutions and group norms of people who are kept apart."""
        return replace(terms, convolutions=IsolationTerm(self, call.rows, self._effect.layers))

    def isolated(self, kind: Kind, layer: Layer, x: Tensor, call: Call) -> Tensor:
        """What a layer makes of x when people are kept apart.

        x : [B, C, H, W] all rows of the call; those that another pack repeated are left alone
        """
        read, written = (x.shape[-2], x.shape[-1]), kind.written(x.shape[-2:])
        if len(x) != len(call.rows) * call.images or max(written) > self._isolation.cells:
            return layer(x)
        parts = self._cuts(kind, read, written, call, x.device)
        if parts[0].rows is None:
            return parts[0].apply(layer, x)
        made = [part.apply(layer, x.index_select(0, part.rows)) for part in parts]
        return torch.cat(made).index_select(0, torch.cat([part.rows for part in parts]).argsort())

    def _cuts(self, kind: Kind, read: Grid, written: Grid, call: Call, device: torch.device) -> tuple[RowCut, ...]:
        def made() -> tuple[RowCut, ...]:
            areas = call.rows_by(lambda row: row.area)
            return tuple(
                RowCut(
                    torch.tensor(rows, device=device) if len(areas) > 1 else None,
                    self._of(kind, read, written, call.latent, area, device),
                )
                for area, rows in areas.items()
            )

        return self.kept((kind, read, written, call, device), made)

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
            return lambda layer, x: isolated_norm(layer, x, norms, eta)
        cut = convolution_cut(sides, kind.kernel, kind.stride, kind.padding, eta).to(device)
        return lambda layer, x: isolated_convolution(layer, x, cut, eta)

    def _owned(self, grid: Grid, latent: Grid, area: Area | None) -> Tensor:
        return owners(self._shares.of(grid, latent, area)).unflatten(0, grid)


@dataclass(frozen=True, eq=False)
class IsolationTerm:
    """Answers the convolutions and group norms of one call; `layers` by number."""

    cache: IsolationCache
    call: Call
    layers: Sequence[IsolatedLayer]

    def __call__(self, kind: Kind, layer: Layer, x: Tensor) -> Tensor:
        """What a layer makes of x [B, C, H, W]."""
        return self.cache.isolated(kind, layer, x, self.call)
