"""The cast: who appears where, in which order, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .regions import Region


@dataclass(frozen=True, eq=False)
class Member:
    """One person's part in a picture.

    identity : opaque here; has `.name` and `.embeddings`
    region   : where the person appears
    strength : scales this member's share of the attention; 0 leaves them out
    prompt   : the host's conditioning for this region alone, or None
    adapter  : the adapter for this member alone, or None for the one of the whole cast
    """

    identity: Any
    region: Region
    strength: float = 1.0
    prompt: Any = None
    adapter: Any = None


Cast = tuple[Member, ...]
"""Members in order: where regions overlap, earlier members stand in front."""
