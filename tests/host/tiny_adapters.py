"""Small adapters of every format that fit the tiny model, a small CLIP vision encoder, and people with photos."""

from __future__ import annotations

from pathlib import Path

import comfy.clip_vision
import numpy as np
import torch
from pack.face.identity import Identity, subject_from_pictures
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.loaded_adapter import AdapterSettings, LoadedAdapter
from pack.scripts.benches.engine.adapter_files import (
    Shapes,
    as_saa,
    faceid,
    full_face,
    layers,
    linear,
    loras,
    norm,
    plus,
    random_state,
    resampler,
)
from pack.tests.host.tiny_models import CONTEXT, WIDTHS
from safetensors.torch import save_file

HIDDEN, EMBEDDING, SIDE = 64, 48, 28  # of the encoder: numbers per feature and of its embedding, pixels
FEATURES = 5  # a class token and 2 x 2 patches
BUFFALO, ANTELOPE = "4c06341c33c2ca1f", "4ab1d6435d639628"  # recognisers of the published packs

PROJECTIONS: dict[str, Shapes] = {
    "ip-adapter": linear("proj", 4 * CONTEXT, EMBEDDING) | norm("norm", CONTEXT),
    "ip-adapter plus": plus(128, HIDDEN, CONTEXT, 2),
    "ip-adapter full-face": full_face(CONTEXT, HIDDEN),
    "faceid": faceid(CONTEXT, hidden=32),
    "faceid portrait unnorm": plus(64, 512, CONTEXT, 1),
    "faceid plus": faceid(CONTEXT, hidden=32) | resampler(CONTEXT, HIDDEN, CONTEXT, 1, "perceiver_resampler."),
}
PROJECTIONS["instantid"] = PROJECTIONS["faceid portrait unnorm"]
PROJECTIONS["faceid plus v2"] = PROJECTIONS["faceid plus"]
PROJECTIONS["dynamicid"] = PROJECTIONS["faceid plus"]
KINDS = list(PROJECTIONS)


def tiny_state(kind: str, lora: bool = False, seed: int = 1) -> dict[str, torch.Tensor]:
    """A flat file of that format with random weights; faces count, although unit vectors of 512 numbers are small."""
    shapes = {f"image_proj.{key}": shape for key, shape in PROJECTIONS[kind].items()}
    maps = layers(CONTEXT, WIDTHS) | (loras(CONTEXT, WIDTHS, rank=4) if lora else {})
    state = random_state(shapes | {f"ip_adapter.{key}": shape for key, shape in maps.items()}, seed)
    if "image_proj.proj.0.weight" in state and state["image_proj.proj.0.weight"].shape[1] == 512:
        state["image_proj.proj.0.weight"] *= 20
    return as_saa(state) if kind == "dynamicid" else state


def tiny_of(kind: str, folder: Path, vision=None, lora: bool = False, seed: int = 1, **settings) -> LoadedAdapter:
    """An adapter of that format, loaded from a real file in `folder`."""
    path = folder / f"{kind.replace(' ', '-')}-{len(list(folder.iterdir()))}.safetensors"
    save_file(tiny_state(kind, lora, seed), path)
    settings = {"format": kind, **settings}
    reads_pictures = kind.startswith(("ip-adapter", "faceid plus", "dynamicid"))
    return load_adapter(path, path.name, AdapterSettings(**settings), vision if reads_pictures else None)


def vision_config(hidden: int = HIDDEN, embedding: int = EMBEDDING, side: int = SIDE) -> dict:
    return {
        "model_type": "clip_vision_model",
        "image_size": side,
        "patch_size": 14,
        "num_channels": 3,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "hidden_act": "quick_gelu",
        "projection_dim": embedding,
    }


def tiny_vision(seed: int = 3, **sizes) -> comfy.clip_vision.ClipVisionModel:
    """ComfyUI's own encoder class with random weights."""
    encoder = comfy.clip_vision.ClipVisionModel(vision_config(**sizes))
    shapes = {key: tuple(value.shape) for key, value in encoder.model.state_dict().items()}
    encoder.load_sd(random_state(shapes, seed))
    return encoder


def photographed(name: str, seed: int, photos: int = 2, recogniser: str = BUFFALO) -> Identity:
    """A person with random photos of 96 x 80 pixels, each with a face of about 40 pixels."""
    numbers = np.random.default_rng(seed)
    rows = numbers.normal(size=(1, 512)) + 0.3 * numbers.normal(size=(photos, 512))
    points = np.array([[32, 38], [52, 38], [42, 50], [34, 60], [50, 60]], np.float32)
    return Identity(
        name=name,
        embeddings={recogniser: (rows * 20).astype(np.float32)},
        crops=numbers.integers(0, 256, (photos, 112, 112, 3), dtype=np.uint8),
        keypoints=np.stack([points + numbers.normal(size=(5, 2)).astype(np.float32) for _ in range(photos)]),
        boxes=np.stack([np.array([22, 20, 62, 70], np.float32)] * photos),
        photos=tuple(numbers.integers(0, 256, (96, 80, 3), dtype=np.uint8) for _ in range(photos)),
    )


def subject(name: str, seed: int, pictures: int = 1) -> Identity:
    """Something without a face."""
    numbers = np.random.default_rng(seed)
    return subject_from_pictures(name, [numbers.integers(0, 256, (40, 60, 3), dtype=np.uint8) for _ in range(pictures)])
