"""A folder for one server alone: two demos at once write nowhere together."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from ..bootstrap.lock import Lock

FIRST = "demo"


def own_folder(home: Path) -> tuple[Path, Lock]:
    """`home/demo`, or `home/demo-2` and so on where another process holds it; with the lock to be held meanwhile."""
    for number in count(1):
        folder = home / (FIRST if number == 1 else f"{FIRST}-{number}")
        lock = Lock(home / f"{folder.name}.lock")
        if lock.try_acquire():
            return folder, lock
    raise AssertionError
