"""The cast: who appears where, in which order, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..regions.region import Region
from .member_settings import MemberSettings


@dataclass(frozen=True, eq=False)
class Member:
    """One person's part in a picture.

    identity : opaque here; has `.name` and `.embeddings`
    region   : where the person appears
    strength : scales this member's share of the attention; 0 keeps their place and draws nobody there
    prompt   : the host's conditioning for this region alone, or None
    adapter  : the adapter for this member alone, or None for the one of the whole cast
    start, end : the part of the schedule in which this member acts, in fractions from its begin
    settings : how else they act, where that differs from the rest of the cast
    """

    identity: Any
    region: Region
    strength: float = 1.0
    prompt: Any = None
    adapter: Any = None
    start: float = 0.0
    end: float = 1.0
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
) -> Cast:
    """The cast and, last, one more member in the region of that name; without one, in that named like the person.

    Raises ValueError when no region has that name, or when it already belongs to a member, or when the member's part
    of the schedule is empty.
    """
    if start >= end:
        raise ValueError(
            f"Troupe, Cast Member: '{identity.name}' starts at {start:g} and ends at {end:g} of the schedule, so "
            "there is no step to act in. Set 'end' above 'start'."
        )
    by_name = {candidate.name: candidate for candidate in regions}
    wanted = region.strip() or identity.name
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
    return (*cast, Member(identity, chosen, strength, prompt, adapter, start, end))


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
