"""What the doctor says of model files: every one that this pack reads, what it was recognised as, size and licence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import folder_paths

from ....attention.adapters.formats import FORMATS
from ....face.identity_file import SUFFIX, load_identity
from ....face.onnx_graph import read_outline
from ....face.pack import content_hash, find_packs, kind_of, read_pack
from ..adapters.adapter_file import read_adapter_file
from ..adapters.eva_files import NAME, WHERE, eva_files
from ..adapters.vision_files import VisionFile, vision_files
from ..faces.recognisers import PUBLISHED
from ..model_folders import (
    DEMO_WEIGHTS,
    adapter_files,
    adapter_path,
    adapter_paths,
    folder_for,
    insightface_folders,
)

NON_COMMERCIAL = "InsightFace's licence: non-commercial research only"
OWN = "Apache-2.0, part of this pack"
UNKNOWN = "licence not known: see where it came from"
INSIGHTFACE_PACKS = ("buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc", "antelopev2", "antelope")
FACES_LEARNED = "learned from InsightFace's embeddings: non-commercial research only"


def pack_lines() -> list[str]:
    """Every face pack with its files."""
    folders, lines = insightface_folders(), []
    for name, folder in find_packs(folders).items():
        lines.append(f"{name}: {_pack_state(name, folder)} [{folder}]")
        lines += [f"  {path.relative_to(folder)}: {_graph_state(path)}" for path in sorted(folder.rglob("*.onnx"))]
    return lines or [f"! no face pack in {' or '.join(str(folder / 'models') for folder in folders)}"]


def adapter_lines() -> list[str]:
    """Every adapter file."""
    lines = []
    for name in adapter_files():
        lines.append(f"{name}: {_adapter_state(name)}")
        hidden = "! is hidden by the file of the same name above: rename one of them"
        lines += [f"{path}: {hidden}" for path in adapter_paths(name)[1:]]
    return lines or [f"! no adapter in {folder_for('ipadapter')}"]


def identity_lines() -> list[str]:
    """Every saved identity, by file and name."""
    lines = []
    for name in sorted(folder_paths.get_filename_list("identities")):
        path = folder_paths.get_full_path("identities", name)
        if not name.endswith(SUFFIX) or path is None:
            continue
        try:
            identity = load_identity(Path(path))
        except ValueError as error:
            lines.append(f"! {error}")
            continue
        described = ", ".join(PUBLISHED.get(key, key) for key in identity.embeddings) or "no recogniser"
        lines.append(f"{name}: '{identity.name}', {len(identity.crops)} photos, described by {described}; {size(path)}")
    return lines or [f"none in {folder_for('identities')}"]


def encoder_lines() -> list[str]:
    """CLIP vision encoders, which some adapters need, and PuLID's, which may lie elsewhere too."""
    ours = eva_files()
    lines = [_encoder_state(file) for file in vision_files() if file.name not in ours]
    lines += [f"{name}: EVA02-CLIP, for PuLID, {size(path)} [{path}]" for name, path in ours.items()]
    return lines or [f"none in {folder_for('clip_vision')}; IP-Adapter, Plus, FaceID-plus and PuLID need one"]


def size(path: str | Path | None) -> str:
    """Megabytes, or what is wrong."""
    try:
        return f"{Path(path).stat().st_size / 1e6:,.1f} MB"
    except (OSError, TypeError):
        return "not there any more"


def licence_of_pack(name: str, recogniser: str, folder: Path) -> str:
    """By the recogniser's content where it is a published one, else by the folder's name."""
    if DEMO_WEIGHTS in folder.parents:
        return OWN
    if recogniser in PUBLISHED or name.lower() in INSIGHTFACE_PACKS:
        return NON_COMMERCIAL
    return "AuraFace: Apache-2.0" if "aura" in name.lower() else UNKNOWN


def _pack_state(name: str, folder: Path) -> str:
    try:
        pack = read_pack(name, folder)
        recogniser = content_hash(pack.recogniser)
    except (ValueError, OSError) as error:
        return "! " + " ".join(str(error).split())
    known = f", the recogniser of {PUBLISHED[recogniser]}" if recogniser in PUBLISHED else ""
    return f"complete, recogniser {recogniser}{known}; {licence_of_pack(name, recogniser, folder)}"


def _graph_state(path: Path) -> str:
    try:
        return f"{kind_of(read_outline(path)) or 'not needed'}, {size(path)}"
    except (ValueError, OSError) as error:
        return f"! {error}"


def _encoder_state(file: VisionFile) -> str:
    if file.fault:
        return f"{file.name}: ! it {file.fault}; it is passed over. Delete it or download it again [{file.path}]"
    return f"{file.name}: {size(file.path)}"


def _adapter_state(name: str) -> str:
    try:
        path = adapter_path(name)
    except ValueError:
        return "! was listed and is not there any more"
    try:
        spec = read_adapter_file(path, name, "auto").spec
    except ValueError as error:
        return f"! {error} [{path}]"
    licence = OWN if DEMO_WEIGHTS in path.parents else FACES_LEARNED if FORMATS[spec.kind].face else UNKNOWN
    lacking = FORMATS[spec.kind].vision == "eva" and not eva_files()
    return f"! needs {NAME} in {WHERE}; " * lacking + f"{spec.kind}, {size(path)}; {licence} [{path}]"


def sections() -> Iterator[tuple[str, list[str]]]:
    """Title and lines of each kind of file."""
    yield "Face packs", pack_lines()
    yield "Identity adapters", adapter_lines()
    yield "CLIP vision encoders", encoder_lines()
    yield "Saved identities (delete a file to forget the person)", identity_lines()
