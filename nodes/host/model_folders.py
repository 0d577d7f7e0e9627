"""The model folders this pack reads: ComfyUI's own, and the demo's weights that ship with the pack."""

from __future__ import annotations

from pathlib import Path

import folder_paths

DEMO_WEIGHTS = Path(__file__).resolve().parents[2] / "demo" / "weights"
ADAPTER_SUFFIXES = (".safetensors", ".bin")


def register_model_folders() -> None:
    """Make `models/ipadapter`, `models/insightface` and `models/identities` known, and the demo's folders after them.

    Only appends: paths that ComfyUI or another pack registered stay where they are. May be called more than once.
    """
    for name in ("ipadapter", "insightface"):
        folder_paths.add_model_folder_path(name, str(Path(folder_paths.models_dir) / name))
        folder_paths.add_model_folder_path(name, str(DEMO_WEIGHTS / name))
    folder_paths.add_model_folder_path("identities", str(Path(folder_paths.models_dir) / "identities"))


def adapter_files() -> list[str]:
    """Names of the adapter files in the ipadapter folders, relative to their folder, sorted."""
    register_model_folders()
    found = folder_paths.get_filename_list("ipadapter")
    return sorted(name for name in found if name.lower().endswith(ADAPTER_SUFFIXES))


def adapter_path(name: str) -> Path:
    """Where the adapter file of that name lies; ValueError with the folders searched when it is not there."""
    register_model_folders()
    path = folder_paths.get_full_path("ipadapter", name)
    if path is None:
        folders = ", ".join(folder_paths.get_folder_paths("ipadapter"))
        raise ValueError(
            f"Troupe: no adapter file named '{name}' was found in {folders}. "
            "Put the file into models/ipadapter, press R in ComfyUI to refresh the list, and choose it again."
        )
    return Path(path)


def insightface_folders() -> list[Path]:
    """The folders that hold face packs, ComfyUI's first; each is searched below `models/` and directly."""
    register_model_folders()
    return [Path(folder) for folder in folder_paths.get_folder_paths("insightface")]
