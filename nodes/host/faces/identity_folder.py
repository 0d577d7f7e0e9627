"""Identity files in ComfyUI's model folders: `models/identities`, or wherever `extra_model_paths.yaml` says."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ....face.arrays_file import remove_unfinished
from ....face.identity import Identity
from ....face.identity_file import SUFFIX, load_identity, save_identity
from ....face.identity_names import file_stem, free_stem
from ....face.pack import content_hash
from ..file_names import full_path
from ..model_folders import register_model_folders

FOLDER = "identities"
KEEP_BOTH, REPLACE = "keep both", "replace"
NO_FILE = "(no identity saved yet: use Save Identity)"


def identity_names() -> list[str]:
    """Names of the identity files, relative to their folder, sorted; one explaining entry where there is none."""
    register_model_folders()
    for folder in folder_paths.get_folder_paths(FOLDER):
        remove_unfinished(Path(folder))
    return sorted(name for name in folder_paths.get_filename_list(FOLDER) if name.endswith(SUFFIX)) or [NO_FILE]


def identity_path(name: str | None) -> Path:
    """Where the identity file of that name lies. Raises ValueError with the folders searched when there is none."""
    register_model_folders()
    path = None if name in (NO_FILE, None) else full_path(FOLDER, name)
    if path is None:
        what = (
            "no identity has been saved yet" if name in (NO_FILE, None) else f"there is no identity file named '{name}'"
        )
        raise ValueError(
            f"Troupe, Load Identity: {what} in {', '.join(folder_paths.get_folder_paths(FOLDER))}. "
            "Save one with Save Identity, press R in ComfyUI to refresh the list, and choose it."
        )
    return Path(path)


def read_identity(name: str) -> Identity:
    """The identity in the file of that name. Raises ValueError for a file that is gone or is none."""
    return load_identity(identity_path(name))


def stamp_of(name: str) -> str:
    """The content of the file of that name, in short; empty when it is gone. ComfyUI reads a file again by it."""
    try:
        return content_hash(identity_path(name))
    except (ValueError, OSError):
        return ""


def store_identity(identity: Identity, name: str | None, existing: str) -> Path:
    """Save an identity under a name, by default its own, made safe for a file; returns where.

    existing : KEEP_BOTH numbers the new file where one has the name, REPLACE writes over it
    Raises ValueError for a name that cannot be one of a file, and when the folder cannot be written to.
    """
    register_model_folders()
    folder = Path(folder_paths.get_folder_paths(FOLDER)[0])
    try:
        stem = file_stem((name or "").strip().removesuffix(SUFFIX) or identity.name)
    except ValueError as error:
        raise ValueError(f"Troupe, Save Identity: the name {error}") from error
    if existing == KEEP_BOTH:
        stem = free_stem(stem, {path.stem for path in folder.glob(f"*{SUFFIX}")})
    path = folder / (stem + SUFFIX)
    try:
        save_identity(path, identity)
    except ValueError as error:
        raise ValueError(f"Troupe, Save Identity: {error}") from error
    except OSError as error:
        raise ValueError(
            f"Troupe, Save Identity: '{identity.name}' could not be written to {path} ({error.strerror or error}). "
            "Free some space, or make the folder writable."
        ) from error
    return path
