"""Files that other packs left in Hugging Face's cache, found by its layout alone: nothing is imported or downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def cache_folder() -> Path:
    """Where the cache lies: HF_HUB_CACHE, or `hub` below HF_HOME, or below the cache folder of the user's home."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def cached(repository: str, name: str) -> Iterator[Path]:
    """Every copy of a repository's file, the newest first; entries whose content is gone are left out.

    repository : "OWNER/NAME"
    """
    folder = cache_folder() / f"models--{repository.replace('/', '--')}" / "snapshots"
    try:
        found = [path for path in folder.glob(f"*/{name}") if path.is_file()]
        yield from sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return
