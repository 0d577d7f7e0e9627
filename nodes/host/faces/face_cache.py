"""Where analyses of photos are kept: in this process, and if asked for in ComfyUI's user folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import folder_paths

from ....face.cache import AnalysisCache

OFF, MEMORY, DISK = "off", "memory", "memory and disk"
CACHES = (MEMORY, DISK, OFF)


def cache_folder() -> Path:
    """`user/troupe/face-cache`. Files in it hold faces; deleting it forgets them."""
    return Path(folder_paths.get_user_directory()) / "troupe" / "face-cache"


def cache_named(name: str) -> AnalysisCache | None:
    """The cache of that kind, one of CACHES; the same one every time."""
    return None if name == OFF else _cache(cache_folder() if name == DISK else None)


def clear_caches() -> tuple[int, int]:
    """Forget all analyses, those of earlier runs too; how many there were in memory and on disk."""
    counts = [_cache(folder).clear() for folder in (None, cache_folder())]
    return sum(count for count, _ in counts), sum(files for _, files in counts)


@cache
def _cache(folder: Path | None) -> AnalysisCache:
    return AnalysisCache(folder)
