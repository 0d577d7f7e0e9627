"""The model folders this pack reads: ComfyUI's own, and the demo's weights that ship with the pack."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from .file_names import full_path

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
    """The adapter file of that name that is read; ValueError with the folders searched when there is none."""
    paths = adapter_paths(name)
    if not paths:
        folders = ", ".join(folder for kind in _adapter_folders() for folder in folder_paths.get_folder_paths(kind))
        raise ValueError(
            f"Troupe: no adapter file named '{name}' was found in {folders}. "
            "Put the file into models/ipadapter, press R in ComfyUI to refresh the list, and choose it again."
        )
    return paths[0]


def _adapter_folders() -> list[str]:
    """The kinds of folders that hold adapters."""
    return [kind for kind in ADAPTER_FOLDERS if kind in folder_paths.folder_names_and_paths]


def insightface_folders() -> list[Path]:
    """The folders that hold face packs, ComfyUI's first; each is searched below `models/` and directly."""
    register_model_folders()
    return [Path(folder) for folder in folder_paths.get_folder_paths("insightface")]
