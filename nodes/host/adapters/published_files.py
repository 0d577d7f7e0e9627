"""Published adapter files that share their layout with others, known by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

# Bytes of a file -> the SHA-256 under which its publisher lists it, and its format.
PUBLISHED = {
    1_691_134_141: ("02b3618e36d803784166660520098089a81388e61a93ef8002aa79a5b1c546e1", "instantid"),
    1_009_523_411: ("220bb86e205393a3d0411631cb473caddbf35fd371be2905ca9008818170db55", "faceid portrait unnorm"),
}
CHUNK = 1 << 24


def published_format(path: Path) -> str | None:
    """The format of a published file; None for any other, of which nothing but the size is looked at."""
    known = PUBLISHED.get(path.stat().st_size) if path.is_file() else None
    if known is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return known[1] if digest.hexdigest() == known[0] else None
