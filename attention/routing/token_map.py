"""Whose each token of a joint sequence is: its class, which is a kind and a set of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..isolation.token_groups import groups_of

TEXT, PICTURE, REFERENCE = "text", "picture", "reference"
EVERYBODY: frozenset[int] = frozenset()


class TokenClass(NamedTuple):
    """Tokens that are treated alike.

    kind   : TEXT, PICTURE or REFERENCE
    people : members they belong to; none for what is everybody's: the main prompt, the background, a user's own photos
    """

    kind: str
    people: frozenset[int]


class Span(NamedTuple):
    """Tokens in a row. Of a picture's, the people are those of each cell, and `people` is not looked at.

    length : how many tokens
    """

    kind: str
    length: int
    people: frozenset[int] = EVERYBODY


@dataclass(frozen=True, eq=False)
class TokenMap:
    """The classes of a sequence.

    classes : each once
    of      : [S] int64, the number of each token's class
    """

    classes: tuple[TokenClass, ...]
    of: Tensor

    def __len__(self) -> int:
        return len(self.of)

    def first(self, count: int) -> TokenMap:
        """The map of the first tokens alone."""
        return TokenMap(self.classes, self.of[:count])


def token_map(spans: Iterable[Span], owned: Tensor) -> TokenMap:
    """The map of a sequence.

    spans : in the order of the tokens, of a picture's at most one
    owned : [N, M] bool, whose each cell of the picture is (attention.isolation.token_groups.owners)
    Raises ValueError where the picture's span has another length than `owned`.
    """
    numbers: dict[TokenClass, int] = {}
    parts = []
    for span in spans:
        if span.kind == PICTURE and span.length != len(owned):
            raise ValueError(f"A picture of {span.length} tokens was to be mapped by {len(owned)} cells.")
        if span.kind == PICTURE:
            parts.append(_of_picture(owned, numbers))
        else:
            number = numbers.setdefault(TokenClass(span.kind, span.people), len(numbers))
            parts.append(torch.full((span.length,), number))
    return TokenMap(tuple(numbers), torch.cat(parts) if parts else torch.zeros(0, dtype=torch.long))


def total(spans: Sequence[Span]) -> int:
    """Tokens of all spans."""
    return sum(span.length for span in spans)


def _of_picture(owned: Tensor, numbers: dict[TokenClass, int]) -> Tensor:
    of = torch.zeros(len(owned), dtype=torch.long)
    for people, mine in groups_of(owned):
        of[mine] = numbers.setdefault(TokenClass(PICTURE, frozenset(people)), len(numbers))
    return of
