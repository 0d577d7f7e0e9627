"""What an adapter file is, from its header alone: format, layers and face pack, kept by path, time and size.

The tensors of a pickled file are mapped and never read, so a folder of large files is known in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ....attention.adapters.formats import FORMATS, INSTANTID_KINDS
from ....attention.adapters.parts import AdapterFormatError
from ....attention.adapters.spec import AdapterSpec
from ....attention.adapters.weights import read_adapter
from ..faces.recognisers import packs_for
from ..model_files import last_part
from ..model_folders import adapter_files, adapter_path
from .adapter_file import UNREADABLE, named_recogniser, published_format
from .file_faults import fault_of
from .loaded_adapter import AdapterSettings
from .vision_files import tensor_shapes

FIRST_PLUS = "ip-adapter-faceid-plus_sd15.bin"  # its tensors are those of v2
FACE_ALONE = "plus-face"  # in the names of files whose tensors are those of plus
KEPT = 512  # outlines


@dataclass(frozen=True)
class Outline:
    """An adapter file that was not loaded.

    spec     : its shape; None for a file that is no adapter
    settings : how it is loaded: format and crop where only its name or folder tells
    packs    : face packs whose embeddings it reads; empty for any, or none
    fault    : a clause on a file that cannot be used
    """

    name: str
    path: Path
    spec: AdapterSpec | None = None
    settings: AdapterSettings = field(default_factory=AdapterSettings)
    packs: tuple[str, ...] = ()
    fault: str = ""


def adapter_outlines() -> list[Outline]:
    """Those of all files in the folders of adapters, by name."""
    found = []
    for name in adapter_files():
        try:
            path = adapter_path(name)
            found.append(outline_of(path, name))
        except (OSError, ValueError):  # listed, and gone since
            continue
    return found


def outline_of(path: Path, name: str) -> Outline:
    """What a file is; read anew when it changes. Raises OSError where it is gone."""
    facts = path.stat()
    return _outline(path, name, facts.st_mtime_ns, facts.st_size)


@lru_cache(KEPT)
def _outline(path: Path, name: str, _time: int, _size: int) -> Outline:
    fault = fault_of(path)
    if fault:
        return Outline(name, path, fault=f"it {fault}")
    try:
        known = published_format(path)
        chosen = known or _format_by_place(path)
        try:
            spec = read_adapter(_shapes_in(path), chosen).spec
        except AdapterFormatError:
            chosen = "auto"
            spec = read_adapter(_shapes_in(path), chosen).spec
    except UNREADABLE as error:
        return Outline(name, path, fault=(str(error).strip() or type(error).__name__).splitlines()[0][:200])
    crop = "face" if FACE_ALONE in last_part(name) and FORMATS[spec.kind].crop == "whole" else "auto"
    packs = packs_for(spec, "auto", chosen == "auto", named_recogniser(path))
    return Outline(name, path, spec, AdapterSettings(format="auto" if known else chosen, crop=crop), packs)


def _format_by_place(path: Path) -> str:
    """What the tensors leave open and folder or name tells: InstantID's, which look like portrait files, and the
    first FaceID-plus."""
    if any(INSTANTID_KINDS[0] in part.lower().replace("_", "") for part in path.parts[-3:]):
        return INSTANTID_KINDS[0]
    return "faceid plus" if last_part(path.name) == FIRST_PLUS else "auto"


def _shapes_in(path: Path) -> Mapping[str, Any]:
    """The file's tensors without their numbers."""
    if path.suffix.lower() == ".safetensors":
        shapes = tensor_shapes(path)
        return {key: torch.empty(shape, device="meta", dtype=torch.float16) for key, shape in shapes.items()}
    return torch.load(path, map_location="cpu", mmap=True, weights_only=True)
