"""Who sees whom: the tokens of a layer, split by whose they are.

A token of a person sees that person and the background plainly, and other people with the weight eta of a plain token:
log eta on the logits (1: plain attention, 0: Bounded Attention, arXiv 2403.16990, section 4.2). A token of several
people sees all of them. The background sees everybody ("shared"), or people with the weight eta ("apart").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TokenGroup:
    """Tokens that belong to the same people, and what they see.

    people  : numbers of the members, none for the background
    queries : [n] int64, these tokens
    keys    : [m] int64, what they see in full, or None for everything
    rest    : [N] bool, what they see with the weight eta; None for nothing
    """

    people: tuple[int, ...]
    queries: Tensor
    keys: Tensor | None
    rest: Tensor | None

    def to(self, device: torch.device) -> TokenGroup:
        """The same group on a device."""
        moved = (None if t is None else t.to(device) for t in (self.queries, self.keys, self.rest))
        return TokenGroup(self.people, *moved)


def owners(shares: Tensor) -> Tensor:
    """Whose each token is, from shares [N, M]: bool [N, M].

    A token that people hold by less than half belongs to nobody; else to all who hold at least half as much of it as
    the one who holds most.
    """
    most = shares.amax(-1, keepdim=True) if shares.shape[-1] else shares
    held = shares.sum(-1, keepdim=True) >= 0.5
    return held & (shares >= 0.5 * most) & (shares > 0)


def token_groups(owned: Tensor, eta: float, background: str) -> tuple[TokenGroup, ...]:
    """The tokens of a layer by whose they are.

    owned : [N, M] bool, see `owners`
    """
    groups = []
    for people, mine in groups_of(owned):
        hidden = hidden_from(people, owned, background)
        if eta == 1 or not hidden.any():
            groups.append(TokenGroup(people, mine.nonzero().flatten(), None, None))
        elif eta == 0:
            groups.append(TokenGroup(people, mine.nonzero().flatten(), (~hidden).nonzero().flatten(), None))
        else:
            groups.append(TokenGroup(people, mine.nonzero().flatten(), None, hidden))
    return tuple(groups)


def groups_of(owned: Tensor) -> list[tuple[tuple[int, ...], Tensor]]:
    """People who own tokens together, nobody among them, and which tokens those are: [N, M] bool -> [N] bool each."""
    kinds, kind = owned.unique(dim=0, return_inverse=True)
    found = [(tuple(row.nonzero().flatten().tolist()), kind == number) for number, row in enumerate(kinds)]
    return sorted(found, key=lambda group: group[0])


def hidden_from(people: Sequence[int], owned: Tensor, background: str) -> Tensor:
    """[N] bool: the tokens of other people alone."""
    somebody = owned.any(-1)
    if not people:
        return somebody if background == "apart" else torch.zeros_like(somebody)
    return somebody & ~owned[:, list(people)].any(-1)
