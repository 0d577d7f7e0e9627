"""Face packs in ComfyUI's model folders, for the combo and for loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from comfy.model_management import processing_interrupted

from ....face import insightface_engine, onnx_engine
from ....face.engine import FaceEngine
from ....face.needs import broken, missing, remedy
from ....face.pack import expected_tree, find_packs, read_pack
from ..model_files import where_to_get
from ..model_folders import DEMO_WEIGHTS, insightface_folders
from .face_cache import MEMORY, cache_named

NO_PACK = "(no face pack found - run for help)"  # keeps the combo valid and says what is wrong
NO_LIBRARY = "(OpenCV or ONNX Runtime is missing - run for help)"
BUILT_IN, INSIGHTFACE = "built-in", "insightface"


def libraries() -> list[str]:
    """What can read a pack here: the insightface library only where it is installed."""
    return [BUILT_IN, INSIGHTFACE] if insightface_engine.is_installed() else [BUILT_IN]


def pack_names() -> list[str]:
    """Names for the combo: the user's packs first, the demo's last; one explaining entry where there is none.

    Where OpenCV or ONNX Runtime is missing nothing could read one, so none is offered.
    """
    return [NO_LIBRARY] if missing() else list(find_packs(insightface_folders())) or [NO_PACK]


def lack_of_pack(name: object) -> str:
    """What is in the way of a pack: packages that are missing, or the tree to make; empty where it is there."""
    packs, name = find_packs(insightface_folders()), str(name)
    return remedy() or ("" if name in packs else _no_such_pack(name, insightface_folders(), list(packs)))


def load_pack(name: str, provider: str, library: str = BUILT_IN, cache: str = MEMORY) -> FaceEngine:
    """The engine over the pack of that name, with the cache of that kind (see face_cache.CACHES).

    Raises ValueError, with the tree to make or the line to type, when there is no such pack or nothing to read it.
    """
    lack = lack_of_pack(name) or broken()
    if lack:
        raise ValueError(f"Troupe, Load Face Engine: {lack}")
    packs = find_packs(insightface_folders())
    pack = read_pack(name, packs[name])
    if library == INSIGHTFACE:
        engine = insightface_engine.load_engine(pack, provider)
    else:
        engine = onnx_engine.load_engine(pack, provider, processing_interrupted)
    return replace(engine, cache=cache_named(cache), drawn_only=packs[name].is_relative_to(DEMO_WEIGHTS))


def _no_such_pack(name: str, folders: list[Path], found: list[str]) -> str:
    what, example = ("no face pack", "buffalo_l") if name == NO_PACK else (f"no face pack '{name}'", name)
    return (
        f"there is {what} in {', '.join(str(folder) for folder in folders)} "
        f"(found: {', '.join(found) or 'none'}). Download one of InsightFace's, such as buffalo_l for IP-Adapter "
        "FaceID, or antelopev2 for InstantID and PuLID (both for non-commercial use), unpack it so that these files "
        f"exist, and press R to refresh the list:\n{expected_tree(folders[0] / 'models' / example)}"
        f"\n{where_to_get(example)}"
    )
