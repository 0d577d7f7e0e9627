"""How much room there is, and how much a folder takes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import Refusal
from .link import is_link

GB = 10**9


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that holds `folder`, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_disk(folder: Path, needed: int) -> None:
    """Raise Refusal when `folder` has no room for `needed` bytes."""
    free = free_bytes(folder)
    if free < needed:
        raise Refusal(
            f"The disk is too full: {free / GB:.1f} GB are free at {folder.parent}, "
            f"and setting up needs {needed / GB:.1f} GB. "
            "Free some space, or name a folder on another disk with the environment variable TROUPE_HOME."
        )


def size_of(folder: Path) -> int:
    """Bytes in the files under `folder`, links not followed."""
    total = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_link(Path(parent, name))]
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total
