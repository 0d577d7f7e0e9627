"""One module per bench. Each has a docstring that says what it measures, and `rows(settings)`, its list of rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..bootstrap.console import Console
from ..bootstrap.installation import Installation
from ..bootstrap.places import Places


@dataclass(frozen=True)
class Settings:
    """How a bench is run. `quick` asks for what two cores do within three minutes, all rows together.

    key   : names the state of the pack and these settings; what a bench keeps from another state does not count
    fresh : forget what is kept
    photos, packs, real : of the bench `faces` (see face_search/real_photos.py)
    """

    quick: bool
    installation: Installation
    places: Places
    console: Console
    key: str = ""
    fresh: bool = False
    photos: Path | None = None
    packs: tuple[Path, ...] = ()
    real: bool = False
