"""Read an adapter file from disk: `.safetensors` or `.bin`. Code in a pickle is refused, never run."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import comfy.utils
from safetensors import SafetensorError, safe_open

from ....attention.adapter_parts import AdapterFormatError
from ....attention.adapter_weights import AdapterWeights, read_adapter

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError)
UNREADABLE += (SafetensorError, pickle.UnpicklingError, zipfile.BadZipFile)


def read_adapter_file(path: Path, name: str, override: str) -> AdapterWeights:
    """The tensors of an adapter file by purpose.

    override : a name of attention.adapter_formats.FORMATS, or "auto"
    Raises ValueError that names the file, says what was found and what to do.
    """
    state = _read(path, name)
    try:
        return read_adapter(state, override)
    except AdapterFormatError as error:
        raise ValueError(f"Troupe: the adapter file '{name}' cannot be used: {error}") from error


def named_recogniser(path: Path) -> str:
    """The recogniser that an adapter was trained with, where a safetensors file names it in its header; else empty."""
    if path.suffix.lower() != ".safetensors":
        return ""
    try:
        with safe_open(str(path), framework="pt") as file:
            return (file.metadata() or {}).get("recogniser", "")
    except UNREADABLE:
        return ""


def _read(path: Path, name: str) -> Mapping:
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
