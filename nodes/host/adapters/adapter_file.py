"""Read an adapter file from disk: `.safetensors` or `.bin`. Code in a pickle is refused, never run."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import comfy.utils
from safetensors import SafetensorError, safe_open

from ....attention.adapters.parts import AdapterFormatError
from ....attention.adapters.weights import AdapterWeights, check_numbers, read_adapter
from .file_faults import swelling_of

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError)
UNREADABLE += (SafetensorError, pickle.UnpicklingError, zipfile.BadZipFile)
# Bytes of a file -> the SHA-256 under which its publisher lists it, and its format.
PUBLISHED = {
    1_691_134_141: ("02b3618e36d803784166660520098089a81388e61a93ef8002aa79a5b1c546e1", "instantid"),
    1_009_523_411: ("220bb86e205393a3d0411631cb473caddbf35fd371be2905ca9008818170db55", "faceid portrait unnorm"),
}
CHUNK = 1 << 24


def published_format(path: Path) -> str | None:
    """The format of a published file; None for any other, of which nothing but the size is looked at."""
    facts = path.stat() if path.is_file() else None
    known = PUBLISHED.get(facts.st_size) if facts else None
    if known is None:
        return None
    return known[1] if _digest(path, facts.st_mtime_ns, facts.st_size) == known[0] else None


@lru_cache(8)
def _digest(path: Path, _time: int, _size: int) -> str:
    """SHA-256 of a file, taken anew when it changes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_adapter_file(path: Path, name: str, override: str) -> AdapterWeights:
    """The tensors of an adapter file by purpose.

    override : a name of attention.adapters.formats.FORMATS, or "auto"
    Raises ValueError that names the file, says what was found and what to do.
    """
    state = read_state(path, name)
    try:
        weights = read_adapter(state, override)
        check_numbers(weights)
    except AdapterFormatError as error:
        raise ValueError(f"Troupe: the adapter file '{name}' cannot be used: {error}") from error
    return weights


def named_recogniser(path: Path) -> str:
    """The recogniser that an adapter was trained with, where a safetensors file names it in its header; else empty."""
    if path.suffix.lower() != ".safetensors":
        return ""
    try:
        with safe_open(str(path), framework="pt") as file:
            return (file.metadata() or {}).get("recogniser", "")
    except UNREADABLE:
        return ""


def read_state(path: Path, name: str) -> Mapping:
    """Everything that a file of weights holds. Raises ValueError as above."""
    swelling = swelling_of(path)
    if swelling:
        raise ValueError(f"Troupe: the adapter file '{name}' was not loaded: it {swelling}. Delete it.")
    try:
        state = comfy.utils.load_torch_file(str(path), safe_load=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"Troupe: the adapter file '{name}' was not loaded, because it is not a plain file of weights: it is "
            "damaged, or it holds code that would run on loading. Download it again from its publisher, as "
            f".safetensors if there is one. ({_first_line(error)})"
        ) from error
    except UNREADABLE as error:
        raise ValueError(
            f"Troupe: the adapter file '{name}' cannot be read; it is cut off or not a file of weights. "
            f"Check its size and download it again. ({_first_line(error)})"
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(
            f"Troupe: the adapter file '{name}' holds a {type(state).__name__} instead of named weights. "
            "Choose an IP-Adapter or FaceID file."
        )
    return state


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
