"""Members of a cast as they act in cross-attention: each with their adapter, and once more with a second one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ....attention.recipes.cast import Cast, Member
from ....attention.recipes.member_settings import MemberSettings


@dataclass(frozen=True, eq=False)
class Entry:
    """A member with one of their adapters.

    number   : of the member in the cast
    strength : times the whole cast's
    """

    number: int
    member: Member
    adapter: Any
    strength: float
    name: str

    @property
    def settings(self) -> MemberSettings:
        """The member's."""
        return self.member.settings

    def in_layers(self, places: Sequence[tuple[str, int]]) -> tuple[float, ...]:
        """The strength in each layer; `places` as in MemberSettings.factors."""
        return tuple(self.strength * factor for factor in self.settings.factors(places))


def is_somebody(identity: Any) -> bool:
    """Whether there is anything that an adapter could read: a place may have words and nobody in it."""
    return bool(identity.embeddings) or bool(len(getattr(identity, "photos", ())))


def entries_of(cast: Cast, adapter: Any, strength: float) -> tuple[Entry, ...]:
    """Everybody with the adapter that they bring or that of the whole cast, then those with a second one again."""
    first = [
        Entry(number, member, member.adapter or adapter, member.strength * strength, member.identity.name)
        for number, member in enumerate(cast)
        if is_somebody(member.identity)
    ]
    again = [
        Entry(
            entry.number,
            entry.member,
            entry.settings.second,
            entry.strength * entry.settings.second_strength,
            f"{entry.name} by {entry.settings.second.name}",
        )
        for entry in first
        if entry.settings.second is not None
    ]
    return (*first, *again)
