"""What ComfyUI's CLIP vision encoder says of an identity's photos, as an adapter reads it."""

from __future__ import annotations

import hashlib
import weakref
from typing import Any

import comfy.model_management
import numpy as np
import torch
from torch import Tensor

from ....face.identity import Identity
from ....face.photo_crops import crops_of
from ..images import to_images
from .bounded_cache import BoundedCache
from .loaded_adapter import LoadedAdapter

KEPT_BYTES = 64 << 20  # of features: about fifty photos of ViT-H's; in memory alone, emptied with the encoder
SDXL_TOKEN = 2048

# Features by encoder, which ComfyUI keeps between runs of the graph and lets go of when models are unloaded.
_kept: weakref.WeakKeyDictionary[Any, BoundedCache] = weakref.WeakKeyDictionary()


def features_of(adapter: LoadedAdapter, identity: Identity) -> Tensor:
    """Features of each photo, float32 [P, width] or [P, L, width]. Raises ValueError as `crops_of` does."""
    crop, side = crop_for(adapter)
    return torch.cat([_encoded(adapter, photo) for photo in crops_of(identity, crop, side, adapter.name)])


def features_of_nobody(adapter: LoadedAdapter) -> Tensor:
    """Features that negative prompts use, one row.

    For image embeddings zeros; else those of a picture that is zero after normalisation, as the published code does;
    where older packs are to be met, those of a black picture.
    """
    if adapter.format.vision == "image_embeds":
        return torch.zeros(1, adapter.spec.vision_width)
    if adapter.settings.peers:
        return _encoded(adapter, np.zeros((adapter.vision.image_size,) * 2 + (3,), np.uint8))
    kept, key = _cache(adapter.vision), "nobody"
    if kept.get(key) is None:
        comfy.model_management.load_model_gpu(adapter.vision.patcher)
        side = adapter.vision.image_size
        with torch.inference_mode():
            blank = torch.zeros(1, 3, side, side, device=adapter.vision.load_device)
            kept.put(key, adapter.vision.model(pixel_values=blank, intermediate_output=-2)[1].float())
    return kept.get(key)


def crop_for(adapter: LoadedAdapter) -> tuple[str, int]:
    """Which crop of a photo an adapter's encoder sees, and pixels along its side, 0 where the encoder decides."""
    own, settings = adapter.format, adapter.settings
    if settings.crop == "whole picture":
        return "whole", 0
    if settings.peers and own.module == "plus":
        return "aligned", own.side if own.crop == "square" else 256 if adapter.spec.cross_width == SDXL_TOKEN else 224
    if settings.crop == "face" and own.crop == "whole":
        return "head", 0
    return own.crop, own.side


def _encoded(adapter: LoadedAdapter, picture: np.ndarray) -> Tensor:
    """Features of one picture, uint8 [h, w, 3], of its largest square in the middle: one row."""
    which = adapter.format.vision
    key = which, hashlib.sha256(picture.tobytes()).hexdigest(), picture.shape
    kept = _cache(adapter.vision)
    features = kept.get(key)
    if features is None:
        output = adapter.vision.encode_image(to_images([picture]), crop=True)
        found = output["image_embeds" if which == "image_embeds" else "penultimate_hidden_states"]
        features = found.detach().float().cpu()
        kept.put(key, features)
    return features


def _cache(encoder: Any) -> BoundedCache:
    return _kept.setdefault(encoder.model, BoundedCache(KEPT_BYTES))
