"""Files of EVA02-CLIP in ComfyUI's folders and Hugging Face's cache, known by their tensors and not by their names."""

from __future__ import annotations

import zipfile
from pathlib import Path

import folder_paths

from ....attention.adapters.eva_weights import SIGN, is_eva
from .file_faults import BROKEN_ZIP, MOST_HEADER
from .hub_cache import cached
from .vision_files import tensor_shapes

FOLDERS = ("clip_vision", "text_encoders")  # the second is also models/clip, where other packs look for it
WHERE = "models/clip_vision, models/clip or Hugging Face's cache"
REPOSITORY = "QuanSun/EVA-CLIP"  # from which PuLID_ComfyUI fetches it into that cache
NAME = "EVA02_CLIP_L_336_psz14_s6B.pt"


def eva_files() -> dict[str, Path]:
    """All of them, by name: those of models/clip_vision, of models/clip, and the one that other packs fetched."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for name in sorted(folder_paths.get_filename_list(folder)):
            path = folder_paths.get_full_path(folder, name)
            if path is not None and holds_eva(Path(path)):
                found.setdefault(name, Path(path))
    for path in cached(REPOSITORY, NAME):
        if holds_eva(path):
            found.setdefault(NAME, path)
    return found


def holds_eva(path: Path) -> bool:
    """Whether a file's header, or the table of contents of a pickled one, names the tensors of EVA02-CLIP.

    No tensor is loaded and nothing is unpickled.
    """
    if path.suffix.lower() == ".safetensors":
        return is_eva(tensor_shapes(path))
    try:
        with zipfile.ZipFile(path) as archive:
            contents = [entry for entry in archive.infolist() if entry.filename.endswith("data.pkl")]
            return any(e.file_size <= MOST_HEADER and SIGN.encode() in archive.read(e) for e in contents)
    except BROKEN_ZIP:
        return False
