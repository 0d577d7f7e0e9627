"""What the doctor says of workflows: which files each of them needs, and into which folder the missing ones go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import folder_paths

from ....face.pack import find_packs
from ..adapters.eva_files import NAME, eva_files
from ..file_names import full_path
from ..model_files import ModelFile, address_of, published
from ..model_folders import ADAPTER_FOLDERS, folder_for, insightface_folders, register_model_folders, same_file

NAMES = {"DualCLIPLoader": 2}  # how many widgets name files, where it is not one
WORKFLOWS = Path(__file__).resolve().parents[3] / "workflows"
FOLDERS = {  # of loaders whose first widget names a file
    "CheckpointLoaderSimple": "checkpoints",
    "CLIPLoader": "text_encoders",
    "DualCLIPLoader": "text_encoders",
    "CLIPVisionLoader": "clip_vision",
    "ControlNetLoader": "controlnet",
    "LoraLoader": "loras",
    "LoraLoaderModelOnly": "loras",
    "UNETLoader": "diffusion_models",
    "VAELoader": "vae",
    "Troupe_LoadAdapter": "ipadapter",
    "Troupe_LoadIdentity": "identities",
}


def workflow_lines(folder: Path = WORKFLOWS) -> list[str]:
    """A line per workflow; a missing file is named with its folder and its address, or with the name it has here."""
    register_model_folders()
    lines = []
    for path in sorted(folder.glob("*.json")):
        missing = list(missing_files(json.loads(path.read_text(encoding="utf-8"))))
        lines.append(f"! {path.stem}: needs {'; '.join(missing)}" if missing else f"{path.stem}: complete")
    return lines


def missing_files(workflow: Mapping[str, Any]) -> Iterator[str]:
    """Each file that a workflow of the editor names and that is not there, with its place, once."""
    named = {}
    for node in workflow["nodes"]:
        values = node.get("widgets_values") or []
        if isinstance(values, list):
            names = values[: NAMES.get(node["type"], 1)]
            named.update({(node["type"], name): None for name in names if isinstance(name, str)})
    packs = find_packs(insightface_folders())
    for kind, name in named:
        if kind == "Troupe_LoadFaceEngine" and name not in packs:
            yield f"face pack {name} in {insightface_folders()[0] / 'models' / name}{_had(published(name))}"
        elif kind in FOLDERS and not any(full_path(folder, name) for folder in _folders_of(kind)):
            yield from _missing(kind, name)
    # No node names PuLID's encoder, which is found by itself. A file that is not there is known by its name alone.
    if any(kind == "Troupe_LoadAdapter" and "pulid" in name.lower() for kind, name in named) and not eva_files():
        yield f"{NAME} in {folder_for('clip_vision')}{_had(published(NAME))}"


def _missing(kind: str, name: str) -> Iterator[str]:
    """A missing file with its place and address; one that is there by another name, where a stock loader has to choose.

    Load Identity Adapter finds such a file by itself.
    """
    here = same_file(name, [other for folder in _folders_of(kind) for other in folder_paths.get_filename_list(folder)])
    if here and kind == "Troupe_LoadAdapter":
        return
    if here:
        yield f"{name}, which is here as {here[0]}: choose it in the node"
        return
    file = published(name)
    folder = file.folder if file and file.folder in _folders_of(kind) else FOLDERS[kind]
    yield f"{name} in {folder_for(folder)}{_had(file)}"


def _had(file: ModelFile | None) -> str:
    """Where a published file can be had, in brackets; nothing for an unknown one."""
    return f" ({address_of(file)})" if file else ""


def _folders_of(kind: str) -> tuple[str, ...]:
    """The kinds of model folders that a loader looks into."""
    return ADAPTER_FOLDERS if FOLDERS[kind] in ADAPTER_FOLDERS else (FOLDERS[kind],)
