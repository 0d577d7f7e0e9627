"""The model folders this pack reads: ComfyUI's own, and the demo's weights that ship with the pack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import folder_paths

from .file_names import full_path
from .model_files import known_names, last_part, may_be, published, where_to_get

DEMO_WEIGHTS = Path(__file__).resolve().parents[2] / "demo" / "weights"
ADAPTER_SUFFIXES = (".safetensors", ".bin")
ADAPTER_FOLDERS = ("ipadapter", "instantid", "pulid")  # a name in several is the first one's


def register_model_folders() -> None:
    """Make the folders of adapters, face packs and identities below `models` known, and those of the demo.

    Only appends: paths that ComfyUI or another pack registered stay where they are. May be called more than once.
    """
    for name in ("ipadapter", "insightface"):
        folder_paths.add_model_folder_path(name, str(Path(folder_paths.models_dir) / name))
        folder_paths.add_model_folder_path(name, str(DEMO_WEIGHTS / name))
    for name in ("instantid", "pulid", "identities"):
        folder_paths.add_model_folder_path(name, str(Path(folder_paths.models_dir) / name))


def adapter_files() -> list[str]:
    """Names of the adapter files in the folders of adapters, relative to their folder, sorted."""
    register_model_folders()
    found = {name for kind in _adapter_folders() for name in folder_paths.get_filename_list(kind)}
    return sorted(name for name in found if name.lower().endswith(ADAPTER_SUFFIXES))


def adapter_paths(name: str) -> list[Path]:
    """Where adapter files of that name lie, the one that is read first."""
    register_model_folders()
    return [Path(path) for kind in _adapter_folders() if (path := full_path(kind, name))]


def adapter_path(name: str) -> Path:
    """The adapter file of that name that is read, or the one file that has another name of the same.

    Raises ValueError with the folders searched, what they hold and where the file can be had.
    """
    paths = adapter_paths(name) or [path for other in same_file(name, adapter_files()) for path in adapter_paths(other)]
    if not paths:
        raise ValueError(f"Troupe, Load Identity Adapter: {lack_of_adapter(name)}")
    return paths[0]


def same_file(name: str, names: Sequence[str]) -> list[str]:
    """The one of some names that is another's in a different folder, or another known name of the same published file.

    Empty where there is none, or more than one: then somebody has to choose.
    """
    file = published(name)
    for wanted in (last_part(name), *(known_names(file) if file else ())):
        found = [other for other in names if may_be(wanted, other)]
        if found:
            return found if len(found) == 1 else []
    return []


def lack_of_adapter(name: object) -> str:
    """A sentence on an adapter file that is not there: folders, what they hold, where to get it, what to do."""
    folders = ", ".join(folder for kind in _adapter_folders() for folder in folder_paths.get_folder_paths(kind))
    found = ", ".join(adapter_files()) or "nothing"
    return " ".join(
        f"no adapter file named '{name}' was found in {folders} (they hold: {found}). {where_to_get(name)} "
        "Choose one that is there, or put the file there and press R.".split()
    )


def folder_for(kind: str) -> str:
    """Where a file of that kind is to be put: of several folders the one of its name, else the first.

    ComfyUI reads diffusion_models from models/unet first, which is the name of old.
    """
    folders = folder_paths.get_folder_paths(kind)
    return next((folder for folder in folders if Path(folder).name == kind), folders[0])


def _adapter_folders() -> list[str]:
    """The kinds of folders that hold adapters."""
    return [kind for kind in ADAPTER_FOLDERS if kind in folder_paths.folder_names_and_paths]


def insightface_folders() -> list[Path]:
    """The folders that hold face packs, ComfyUI's first; each is searched below `models/` and directly."""
    register_model_folders()
    return [Path(folder) for folder in folder_paths.get_folder_paths("insightface")]
