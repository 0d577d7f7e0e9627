"""A small EVA02-CLIP in a file, and small PuLID adapters of both versions that read it and fit the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import folder_paths
import torch
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.loaded_adapter import AdapterSettings, LoadedAdapter
from pack.scripts.benches.engine.adapter_files import Published, id_encoder, id_former, random_state
from pack.scripts.benches.engine.eva_file import eva_clip
from pack.tests.host.tiny_models import CONTEXT, WIDTHS
from safetensors.torch import save_file

WIDTH, VECTOR, CELLS = 64, 16, 2  # numbers per feature and in the vector, patches along a side of 28 pixels
PROJECTIONS = {
    "pulid": id_encoder(CONTEXT, WIDTH, VECTOR, 32),
    "pulid v1.1": id_former(CONTEXT, WIDTH, VECTOR, 64, latents=8),
}
TOKENS = {"pulid": 10, "pulid v1.1": 8}
KINDS = list(PROJECTIONS)
FLUX = Published("pulid flux", 8, id_former(CONTEXT, WIDTH, VECTOR, 64, latents=8), CONTEXT, [256] * 4, picture=256)


def eva_state(width: int = WIDTH, outputs: int = VECTOR, seed: int = 2) -> dict[str, torch.Tensor]:
    """The published keys with random weights."""
    return random_state(eva_clip(width=width, depth=21, hidden=24, outputs=outputs, cells=CELLS), seed)


def empty_vision_folders(folder: Path, monkeypatch) -> dict[str, Path]:
    """The only folders that encoders are looked for in, empty: clip_vision, clip and Hugging Face's cache, hub."""
    folders = {}
    for kind, name in (("clip_vision", "clip_vision"), ("text_encoders", "clip")):
        folders[name] = folder / name
        folders[name].mkdir()
        known = folder_paths.folder_names_and_paths[kind][1]
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, ([str(folders[name])], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    folders["hub"] = folder / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(folders["hub"]))
    return folders


def pulid_state(kind: str, original: bool = True, seed: int = 3) -> dict[str, torch.Tensor]:
    """A flat file of a version, under the keys it was published with or converted ones."""
    if kind == FLUX.kind:
        return random_state(FLUX.shapes(), seed)
    return random_state(Published(kind, 0, PROJECTIONS[kind], CONTEXT, WIDTHS, pulid=original).shapes(), seed)


def tiny_pulid(kind: str, folder: Path, original: bool = True, vision=None, **settings) -> LoadedAdapter:
    """An adapter of a version, loaded from a real file in `folder`; EVA02-CLIP is found in ComfyUI's folders."""
    path = folder / f"{kind.replace(' ', '-')}-{len(list(folder.iterdir()))}.{'bin' if original else 'safetensors'}"
    state = pulid_state(kind, original)
    torch.save(state, path) if original else save_file(state, path)
    return load_adapter(path, path.name, AdapterSettings(**settings), vision)


def pulid_maker(tmp_path_factory, monkeypatch) -> Callable[..., LoadedAdapter]:
    """Makes adapters by version and settings, each once; EVA02-CLIP lies in models/clip under its published name."""
    folder, known = tmp_path_factory.mktemp("pulid"), {}
    folders = empty_vision_folders(tmp_path_factory.mktemp("vision"), monkeypatch)
    torch.save(eva_state(), folders["clip"] / "EVA02_CLIP_L_336_psz14_s6B.pt")

    def make(kind: str = "pulid", **settings) -> LoadedAdapter:
        key = kind, *sorted(settings.items())
        if key not in known:
            known[key] = tiny_pulid(kind, folder, **settings)
        return known[key]

    return make
