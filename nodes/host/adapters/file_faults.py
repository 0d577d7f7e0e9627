"""Why a file of weights cannot be read, told from its header or its table of contents; no tensor is loaded."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

MOST_HEADER = 64 << 20  # bytes; a longer header is no header
# Weights are stored as they are: a file that unpacks to more than this many times its size was made to fill the memory.
MOST_TIMES, SPARE = 4, 64 << 20
BROKEN_ZIP = (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError)


def header_of(path: Path) -> dict[str, Any]:
    """The header of a `.safetensors` file. Raises ValueError with a clause that says what is wrong with it."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            content = file.read(length) if length <= MOST_HEADER else b""
        header = json.loads(content)
    except OSError as error:
        raise ValueError(f"cannot be opened ({error.strerror})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ValueError("has no readable header: it is cut off or no .safetensors file") from error
    if not isinstance(header, dict) or not all(isinstance(value, dict) for value in header.values()):
        raise ValueError("has a header that lists no tensors: it is no .safetensors file")
    return header


def fault_of(path: Path) -> str:
    """A clause that completes "the file ...", empty for one that may be read."""
    if path.suffix.lower() == ".safetensors":
        try:
            header_of(path)
        except ValueError as error:
            return str(error)
        return ""
    try:
        if not zipfile.is_zipfile(path):
            return ""  # an older pickle: known when it is loaded, by weights_only
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith("data.pkl") and entry.file_size <= MOST_HEADER:
                    archive.read(entry)
    except BROKEN_ZIP as error:
        return f"has a damaged table of contents ({(str(error) or type(error).__name__).splitlines()[0][:120]})"
    return swelling_of(path)


def swelling_of(path: Path) -> str:
    """A clause for a zip whose table of contents promises far more bytes than it has; empty for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            promised = sum(entry.file_size for entry in archive.infolist())
    except BROKEN_ZIP:
        return ""
    size = path.stat().st_size
    if promised <= MOST_TIMES * size + SPARE:
        return ""
    return (
        f"has {size / 1e6:,.1f} MB and would unpack to {promised / 1e6:,.0f} MB, which no file of weights does: "
        "it was made to fill the memory"
    )
