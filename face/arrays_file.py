"""Named arrays with texts in one safetensors file, written whole or not at all, read with suspicion."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

UNFINISHED = ".unfinished"
ABANDONED = 3600  # seconds after which a file that somebody began to write is taken for left behind


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> None:
    """Write a file by way of a temporary one beside it, so that nobody ever reads half of it. Raises OSError.

    Temporary ones that a killed process left there are removed.
    """
    from safetensors.numpy import save

    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(texts))
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(path.parent)
    handle, temporary = tempfile.mkstemp(suffix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path, older_than: float = ABANDONED) -> None:
    """Remove files of a folder that were begun so many seconds ago; another process may take them away meanwhile."""
    for path in folder.glob(f"*{UNFINISHED}"):
        try:
            if time.time() - path.stat().st_mtime >= older_than:
                path.unlink()
        except OSError:  # gone, or in use
            continue


def read_arrays(path: Path, most_bytes: int) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and texts of a file. Raises OSError when it is not there, ValueError for a damaged or too long one."""
    from safetensors import SafetensorError, safe_open

    size = path.stat().st_size
    if size > most_bytes:
        raise ValueError(f"it has {size} bytes, at most {most_bytes} are read")
    try:
        with safe_open(str(path), framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
