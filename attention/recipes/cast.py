"""The cast: who appears where, in which order, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..regions.region import Region
from .member_settings import MemberSettings


@dataclass(frozen=True, eq=False)
class NoIdentity:
    """In place of an identity, where a place has words and nobody in particular: a name, and none of the rest."""

    name: str
    embeddings: Mapping[str, Any] = field(default_factory=dict)
    photos: tuple = ()
    crops: tuple = ()
    boxes: tuple = ()


@dataclass(frozen=True, eq=False)
class Member:
    """One person's part in a picture.

    identity : opaque here; has `.name` and `.embeddings`. NoIdentity for a place that words alone act in
    region   : where the person appears
    strength : scales this member's share of the attention; 0 keeps their place and draws nobody there
    prompt   : the host's conditioning for this region alone, or None
    adapter  : the adapter for this member alone, or None for the one of the whole cast
    start, end : the part of the schedule in which this member acts, in fractions from its begin
    negative : the host's conditioning for this region in the negative prompt's rows, or None
    settings : how else they act, where that differs from the rest of the cast
    """

    identity: Any
    region: Region
    strength: float = 1.0
    prompt: Any = None
    adapter: Any = None
    start: float = 0.0
    end: float = 1.0
    negative: Any = None
    settings: MemberSettings = field(default_factory=MemberSettings)


Cast = tuple[Member, ...]
"""Members in order: where regions overlap, earlier members stand in front."""


def with_member(
    cast: Cast,
    identity: Any,
    regions: Sequence[Region],
    region: str,
    strength: float = 1.0,
    prompt: Any = None,
    adapter: Any = None,
    start: float = 0.0,
    end: float = 1.0,
    negative: Any = None,
) -> Cast:
    """The cast and, last, one more member in the region of that name.

    Without a name it is the region that is named like the person, else the first one that nobody has. NoIdentity acts
    by its words alone, whatever the strength.
    Raises ValueError when no region has that name, or when it already belongs to a member, or when the member's part
    of the schedule is empty.
    """
    if start >= end:
        raise ValueError(
            f"Troupe, Cast Member: '{identity.name}' starts at {start:g} and ends at {end:g} of the schedule, so "
            "there is no step to act in. Set 'end' above 'start'."
        )
    by_name = {candidate.name: candidate for candidate in regions}
    wanted = region.strip() or _own_or_free(cast, by_name, identity.name)
    chosen = by_name.get(wanted)
    if chosen is None:
        names = ", ".join(f"'{name}'" for name in by_name) or "none, because no region is drawn"
        raise ValueError(
            f"Troupe, Cast Member: there is no region '{wanted}' for '{identity.name}'. The regions are: {names}. "
            "Choose one of them, or draw it in Draw Regions."
        )
    for member in cast:
        if member.region.name == chosen.name:
            again = member.identity.name == identity.name
            raise ValueError(
                f"Troupe, Cast Member: region '{chosen.name}' already belongs to '{member.identity.name}', so "
                f"'{identity.name}' cannot stand there too. "
                + (
                    "For one person by two adapters, connect the other one to 'second_adapter' of Member Settings."
                    if again
                    else "Draw another region for one of them."
                )
            )
    strength = 0.0 if isinstance(identity, NoIdentity) else strength
    return (*cast, Member(identity, chosen, strength, prompt, adapter, start, end, negative))


def _own_or_free(cast: Cast, names: Sequence[str] | Mapping[str, Region], person: str) -> str:
    """The region named like the person, else the first that no member has, else the person's name."""
    taken = {member.region.name for member in cast}
    free = [name for name in names if name not in taken]
    return person if person in free or not free else free[0]


def with_settings(cast: Cast, name: str, settings: MemberSettings) -> Cast:
    """The cast with settings for the member, or the members, of a name; of everybody where it is empty.

    Raises ValueError when nobody has that name.
    """
    wanted = name.strip()
    names = [member.identity.name for member in cast]
    if wanted and wanted not in names:
        raise ValueError(
            f"Troupe, Member Settings: there is nobody called '{wanted}' in the cast. The members are: "
            f"{', '.join(names) or 'none'}. Choose one of them, or leave 'member' empty for everybody."
        )
    return tuple(
        replace(member, settings=settings) if wanted in ("", member.identity.name) else member for member in cast
    )
