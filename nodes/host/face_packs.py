"""Face packs in ComfyUI's model folders, for the combo and for loading."""

from __future__ import annotations

from pathlib import Path

from ...face.onnx_engine import OnnxEngine, load_engine
from ...face.pack import expected_tree, find_packs, read_pack
from .model_folders import insightface_folders

NO_PACK = "(no face pack found - run for help)"  # keeps the combo valid and says what is wrong


def pack_names() -> list[str]:
    """Names for the combo: the user's packs first, the demo's last; one explaining entry where there is none."""
    return list(find_packs(insightface_folders())) or [NO_PACK]


def load_pack(name: str, provider: str) -> OnnxEngine:
    """The engine over the pack of that name. Raises ValueError, with the tree to make, when there is no such pack."""
    folders = insightface_folders()
    packs = find_packs(folders)
    if name not in packs:
        raise ValueError(_no_such_pack(name, folders, list(packs)))
    return load_engine(read_pack(name, packs[name]), provider)


def _no_such_pack(name: str, folders: list[Path], found: list[str]) -> str:
    what, example = ("no face pack", "buffalo_l") if name == NO_PACK else (f"no face pack '{name}'", name)
    return (
        f"Troupe: there is {what} in {', '.join(str(folder) for folder in folders)} "
        f"(found: {', '.join(found) or 'none'}). Download one of InsightFace's, such as buffalo_l for IP-Adapter "
        "FaceID, or antelopev2 for InstantID and PuLID (both for non-commercial use), unpack it so that these files "
        f"exist, and press R to refresh the list:\n{expected_tree(folders[0] / 'models' / example)}"
    )
