"""Who sees whom in a joint sequence, and the groups of rows that attend alike.

One sentence is behind all policies: a row sees a column if and only if the column's people are a subset of the row's.
Everything a row depends on then belongs to its own people, by induction over layers and steps, so nothing of anybody
reaches another person's place: not a little, nothing. References read references alone, so that a cache of their keys
and values is exact.

    free   : everybody sees everything
    bound  : of that rule only what rows of the picture see of text and references is kept
    closed : text and picture see the whole picture besides; nothing else is relaxed
    apart  : nothing is relaxed
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .token_map import PICTURE, REFERENCE, TokenClass, TokenMap

FREE, BOUND, CLOSED, APART = POLICIES = ("free", "bound", "closed", "apart")


def sees(policy: str, row: TokenClass, column: TokenClass) -> bool:
    """Whether tokens of a class may see those of another."""
    inside = column.people <= row.people
    if policy == FREE:
        return True
    if policy == BOUND:
        return row.kind != PICTURE or column.kind == PICTURE or inside
    if row.kind == REFERENCE:
        return column.kind == REFERENCE and inside
    return inside or (policy == CLOSED and column.kind == PICTURE)


@dataclass(frozen=True)
class Odds:
    """What weighs tokens beyond seen and unseen.

    references : [M] lambda, how many tokens one token of each member's references counts as to text and picture;
                 1 as the model has it, 0 leaves them out
    others     : eta, weight of the picture's tokens of other people, between 0 and 1
    background : a name from attention.recipes.recipe.BACKGROUNDS: "shared" sees everybody in full, "apart" with eta
    """

    references: tuple[float, ...] = ()
    others: float = 1.0
    background: str = "shared"

    def of(self, row: TokenClass, column: TokenClass) -> float:
        """The weight of a column's tokens to a row's, where these see them at all."""
        if row.kind == REFERENCE:
            return 1.0
        if column.kind == REFERENCE:
            return math.prod(self.references[person] for person in column.people if person < len(self.references))
        if column.kind != PICTURE or column.people <= row.people:
            return 1.0
        return self.others if row.people or self.background == "apart" else 1.0


PLAIN = Odds()


@dataclass(frozen=True, eq=False)
class RoutedGroup:
    """Rows that attend alike.

    rows    : [n] int64
    columns : [m] int64, what they see, or None for everything
    bias    : [1, 1, 1, m] float32, added to the logits of what they see, or None
    """

    rows: Tensor
    columns: Tensor | None
    bias: Tensor | None

    def to(self, device: torch.device) -> RoutedGroup:
        """The same group on a device."""
        moved = (None if part is None else part.to(device) for part in (self.rows, self.columns, self.bias))
        return RoutedGroup(*moved)


def weights(policy: str, classes: Sequence[TokenClass], odds: Odds = PLAIN) -> Tensor:
    """[C, C] float64: how much a token of each class counts to a row of each class; 0 for what it does not see."""
    table = [[odds.of(row, column) if sees(policy, row, column) else 0.0 for column in classes] for row in classes]
    return torch.tensor(table, dtype=torch.float64).view(len(classes), len(classes))


def routed_groups(tokens: TokenMap, policy: str, odds: Odds = PLAIN, queries: int | None = None) -> list[RoutedGroup]:
    """The groups of a sequence; each row is in one of them. 2 N + 1 for N people without overlaps, `closed` or `apart`.

    queries : how many rows there are, where the last columns come from a cache; all of them by default
    """
    table = weights(policy, tokens.classes, odds)
    alike: dict[tuple[float, ...], list[int]] = {}
    for number, row in enumerate(table.tolist()):
        alike.setdefault(tuple(row), []).append(number)
    groups = []
    for row, numbers in alike.items():
        rows = torch.isin(tokens.of[:queries], torch.tensor(numbers)).nonzero().flatten()
        if len(rows):
            groups.append(RoutedGroup(rows, *_columns(torch.tensor(row, dtype=torch.float64)[tokens.of])))
    return groups


def _columns(weight: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """What is seen, and the bias of it, from the weight of every column [S]."""
    seen = weight > 0
    columns = None if seen.all() else seen.nonzero().flatten()
    bias = weight[seen].log().float()
    return columns, bias[None, None, None] if bias.any() else None


def work(groups: Sequence[RoutedGroup], columns: int) -> float:
    """Pairs of tokens that are computed, over those of an attention of everything to everything."""
    pairs = sum(len(group.rows) * (columns if group.columns is None else len(group.columns)) for group in groups)
    return pairs / max(1, columns * sum(len(group.rows) for group in groups))
