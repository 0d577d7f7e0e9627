"""Files of EVA02-CLIP in ComfyUI's folders, known by the names of their tensors and never by their own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import folder_paths

from ....attention.adapters.eva_weights import SIGN, is_eva
from .vision_files import MOST_HEADER, tensor_shapes

FOLDERS = ("clip_vision", "text_encoders")  # the second is also models/clip, where other packs look for it
WHERE = "models/clip_vision or models/clip"
NAME = "EVA02_CLIP_L_336_psz14_s6B.pt"


def eva_files() -> dict[str, Path]:
    """All of them, by name, those of models/clip_vision first."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for name in sorted(folder_paths.get_filename_list(folder)):
            path = folder_paths.get_full_path(folder, name)
            if path is not None and holds_eva(Path(path)):
                found.setdefault(name, Path(path))
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
    except (OSError, zipfile.BadZipFile, RuntimeError):
        return False
