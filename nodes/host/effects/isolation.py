"""Effect: people kept apart in self-attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ....attention.isolation.grouped_attention import PhotoKeys, grouped_attention, mean_matched
from ....attention.isolation.token_groups import TokenGroup, owners, token_groups
from ....attention.operators.kernel import fused_attention
from ....attention.recipes.recipe import Isolation
from ....attention.recipes.schedule import Window
from ..layers.in_force import Terms
from ..model.rows import Area, Call
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .shares import Shares


@dataclass(frozen=True, eq=False)
class KeepApart(Effect):
    """People see each other's tokens with the weight eta."""

    isolation: Isolation
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> KeepApart | None:
        """None where everybody sees everybody."""
        isolation = given.recipe.isolation
        return cls(isolation, ((isolation.start, isolation.end),)) if isolation.eta < 1 else None

    def begin(self, session: Session) -> KeepApartRun:
        """Its groups of a run."""
        return KeepApartRun(self.isolation, session.shares)


class KeepApartRun(EffectRun):
    """Who sees whom, on every grid of one run."""

    def __init__(self, isolation: Isolation, shares: Shares) -> None:
        super().__init__()
        self._isolation = isolation
        self._groups = Groups(self, shares, isolation.background)

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With the self-attention of people who are kept apart; in a ControlNet where isolation covers everything."""
        if call.in_control and not self._isolation.covers_everything:
            return terms
        term = SelfAttention(self._groups, call.rows, self._isolation)
        return replace(terms, self_attention=term.prepared(call))


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows of a batch whose regions lie alike.

    rows     : [R] int64, or None for all of them
    groups   : their tokens by whose they are
    positive : they follow the positive prompt, so that they also see photos
    """

    rows: Tensor | None
    groups: tuple[TokenGroup, ...]
    positive: bool


@dataclass(frozen=True, eq=False)
class Groups:
    """The tokens of calls by whose they are, kept by an effect's run."""

    run: EffectRun
    shares: Shares
    background: str

    def row_sets(self, grid: tuple[int, int], call: Call, eta: float, device: torch.device) -> tuple[RowSet, ...]:
        """The rows of a call, by where their regions lie and whether they follow the positive prompt."""

        def made() -> tuple[RowSet, ...]:
            kinds = call.rows_by(lambda row: (row.area, row.positive))
            return tuple(
                RowSet(
                    torch.tensor(rows, device=device) if len(kinds) > 1 else None,
                    self._groups(grid, call.latent, area, eta, device),
                    positive,
                )
                for (area, positive), rows in kinds.items()
            )

        return self.run.kept(("groups", grid, call, eta, device), made)

    def _groups(self, grid, latent, area: Area | None, eta: float, device: torch.device) -> tuple[TokenGroup, ...]:
        owned = owners(self.shares.of(grid, latent, area))
        return tuple(group.to(device) for group in token_groups(owned, eta, self.background))


@dataclass(frozen=True, eq=False)
class SelfAttention:
    """Everything that the self-attention layers of one call need.

    groups    : who sees whom
    call      : the rows of the call
    isolation : the cast's, or None in a step in which people are not kept apart
    photos    : by layer, by member, keys and values [1, T, H*D] and their odds; empty in a step without photos
    match     : whether photos' keys and values get the picture's mean
    """

    groups: Groups
    call: Call
    isolation: Isolation | None = None
    photos: Mapping[int, Mapping[int, PhotoKeys]] = field(default_factory=dict)
    match: bool = False

    def prepared(self, call: ModelCall) -> SelfAttention:
        """The same, with what the layers of every grid need made now, so that none of them has to."""
        for grid in call.grids:
            self.groups.row_sets(grid, self.call, self._eta(grid), call.x.device)
        return self

    def acts(self, layer: int, grid: tuple[int, int], rows: int) -> bool:
        """Whether this layer is one that the term changes. Rows that another pack repeated are left alone."""
        if rows != len(self.call.rows) * self.call.images:
            return False
        return self._eta(grid) != 1 or layer in self.photos

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, layer: int, heads: int, grid: tuple[int, int]) -> Tensor:
        """The layer's self-attention, [B, N, H*D]."""
        eta, seen = self._eta(grid), self.photos.get(layer, {})
        sets = self.groups.row_sets(grid, self.call, eta, q.device)
        if len(sets) == 1:
            return self._attend(q, k, v, sets[0], heads, eta, seen)
        out = torch.empty_like(q)
        for part in sets:
            some = (t.index_select(0, part.rows) for t in (q, k, v))
            out.index_copy_(0, part.rows, self._attend(*some, part, heads, eta, seen))
        return out

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, part: RowSet, heads: int, eta: float, seen) -> Tensor:
        photos = self._matched(seen, k, v) if part.positive else {}
        if eta == 1 and not photos:
            return fused_attention(q, k, v, heads)
        return grouped_attention(torch.empty_like(q), q, k, v, part.groups, heads, eta, photos)

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
