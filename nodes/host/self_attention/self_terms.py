"""What one cast changes inside the model beside cross-attention: people kept apart, and photos beside the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ....attention.isolation import Crowd, Isolation, crowds_of, owners
from ....attention.kernel import fused_attention
from ....attention.self_attention import PhotoKeys, crowded_attention, mean_matched
from ....attention.severed import Layer
from ..cast.cast_call import Call
from ..cast.roles import Area
from .severing import CutRun, Kind, Shares

if TYPE_CHECKING:
    from .severed_layers import SeveredLayer


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows of a batch whose regions lie alike.

    rows     : [R] int64, or None for all of them
    crowds   : their tokens by whose they are
    positive : they follow the positive prompt, so that they also see photos
    """

    rows: Tensor | None
    crowds: tuple[Crowd, ...]
    positive: bool


class CrowdRun:
    """Who sees whom, on every grid of one run; made once."""

    def __init__(self, isolation: Isolation, shares: Shares) -> None:
        self._isolation = isolation
        self._shares = shares
        self._sets: dict[tuple, tuple[RowSet, ...]] = {}

    def close(self) -> None:
        """Let go of every tensor."""
        self._sets.clear()

    def row_sets(self, grid: tuple[int, int], call: Call, eta: float, device: torch.device) -> tuple[RowSet, ...]:
        """The rows of a call, by where their regions lie and whether they follow the positive prompt."""
        key = (grid, call.latent, call.rows, call.images, eta, device)
        if key not in self._sets:
            kinds = call.rows_by(lambda row: (row.area, row.positive))
            self._sets[key] = tuple(
                RowSet(
                    torch.tensor(rows, device=device) if len(kinds) > 1 else None,
                    self._crowds(grid, call.latent, area, eta, device),
                    positive,
                )
                for (area, positive), rows in kinds.items()
            )
        return self._sets[key]

    def _crowds(self, grid, latent, area: Area | None, eta: float, device: torch.device) -> tuple[Crowd, ...]:
        owned = owners(self._shares(grid, latent, area))
        return tuple(crowd.to(device) for crowd in crowds_of(owned, eta, self._isolation.background))


@dataclass(frozen=True, eq=False)
class SelfTerm:
    """Everything that the self-attention layers of one call need, and those that are severed with them.

    run       : who sees whom
    cuts      : where convolutions and group norms are cut
    call      : the rows of the call
    isolation : the cast's, or None in a step in which people are not kept apart
    photos    : by layer, by member, keys and values [1, T, H*D] and their odds; empty in a step without photos
    match     : whether photos' keys and values get the picture's mean
    layers    : the UNet's convolutions and group norms by number, where these are severed
    """

    run: CrowdRun
    cuts: CutRun
    call: Call
    isolation: Isolation | None
    photos: Mapping[int, Mapping[int, PhotoKeys]] = field(default_factory=dict)
    match: bool = False
    layers: Sequence[SeveredLayer] = ()

    def prepare(self, grid: tuple[int, int], device: torch.device) -> None:
        """Make what the layers of a grid need, so that none of them has to."""
        self.run.row_sets(grid, self.call, self._eta(grid), device)

    def acts(self, layer: int, grid: tuple[int, int], rows: int) -> bool:
        """Whether this layer is one that the term changes. Rows that another pack repeated are left alone."""
        if rows != len(self.call.rows) * self.call.images:
            return False
        return self._eta(grid) != 1 or layer in self.photos

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, layer: int, heads: int, grid: tuple[int, int]) -> Tensor:
        """The layer's self-attention, [B, N, H*D]."""
        eta, seen = self._eta(grid), self.photos.get(layer, {})
        sets = self.run.row_sets(grid, self.call, eta, q.device)
        if len(sets) == 1:
            return self._attend(q, k, v, sets[0], heads, eta, seen)
        out = torch.empty_like(q)
        for part in sets:
            some = (t.index_select(0, part.rows) for t in (q, k, v))
            out.index_copy_(0, part.rows, self._attend(*some, part, heads, eta, seen))
        return out

    def severed(self, kind: Kind, layer: Layer, x: Tensor) -> Tensor:
        """What a convolution or a group norm makes of x [B, C, H, W]."""
        return self.cuts.severed(kind, layer, x, self.call) if self.severs else layer(x)

    @property
    def severs(self) -> bool:
        """Whether people are kept apart outside of self-attention too."""
        return self.isolation is not None and self.isolation.severs

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, part: RowSet, heads: int, eta: float, seen) -> Tensor:
        photos = self._matched(seen, k, v) if part.positive else {}
        if eta == 1 and not photos:
            return fused_attention(q, k, v, heads)
        return crowded_attention(torch.empty_like(q), q, k, v, part.crowds, heads, eta, photos)

    def _eta(self, grid: tuple[int, int]) -> float:
        isolation = self.isolation
        return isolation.eta if isolation and max(grid) <= isolation.cells else 1.0

    def _matched(self, photos: Mapping[int, PhotoKeys], k: Tensor, v: Tensor) -> Mapping[int, PhotoKeys]:
        if not self.match:
            return photos
        return {
            member: PhotoKeys(mean_matched(photo.keys.to(k), k), mean_matched(photo.values.to(v), v), photo.odds)
            for member, photo in photos.items()
        }


@dataclass(eq=False)
class Recorder:
    """Stands in for a term while photos run through the model: every layer attends plainly and leaves its keys here."""

    layers: Sequence[int]
    found: dict[int, tuple[Tensor, Tensor]]

    def acts(self, layer: int, _grid: tuple[int, int], _rows: int) -> bool:
        """Whether the layer's keys are wanted."""
        return layer in self.layers

    def note(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep a layer's keys and values, [P, N, H*D]."""
        self.found[layer] = k.detach().clone(), v.detach().clone()
