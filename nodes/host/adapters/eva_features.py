"""What EVA02-CLIP sees of an identity's faces, as PuLID reads it: features after five of its blocks, and a vector.

The crops are those of the detection that gave the face embeddings, so both halves of PuLID see the same face.
"""

from __future__ import annotations

import hashlib

import comfy.model_management
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ....attention.adapters.eva_vision import AFTER
from ....face.identity import Identity
from ....face.photo_crops import crops_of
from .eva_encoder import EvaEncoder
from .loaded_adapter import LoadedAdapter

MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's, per colour


def eva_features_of(adapter: LoadedAdapter, identity: Identity) -> tuple[Tensor, Tensor]:
    """Features float32 [P, 5, L, width] and vectors of length 1 [P, outputs] of each photo's face.

    Raises ValueError as `crops_of` does.
    """
    crops = crops_of(identity, adapter.format.crop, adapter.format.side, adapter.name)
    features, vectors = zip(*(_encoded(adapter.vision, crop) for crop in crops), strict=True)
    return torch.cat(features), F.normalize(torch.cat(vectors), dim=-1)


def eva_features_of_nobody(encoder: EvaEncoder) -> tuple[Tensor, Tensor]:
    """What negative prompts use: zeros for both, one row, as the published code does."""
    shape = encoder.shape
    return torch.zeros(1, len(AFTER), shape.features, shape.width), torch.zeros(1, shape.outputs)


def pixels_of(picture: np.ndarray, side: int) -> Tensor:
    """A picture uint8 [h, w, 3] as the encoder takes it, float32 [1, 3, side, side]."""
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    pixels = F.interpolate(pixels, (side, side), mode="bicubic", antialias=True)
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
    return (pixels - mean) / deviation


def _encoded(encoder: EvaEncoder, picture: np.ndarray) -> tuple[Tensor, Tensor]:
    """Features and vector of one picture, one row each, on the CPU."""
    content = hashlib.sha256(picture.tobytes()).hexdigest()
    features, vector = (encoder.kept.get((which, content)) for which in ("features", "vector"))
    if features is None or vector is None:
        device = comfy.model_management.text_encoder_device()
        with torch.no_grad():
            vector, features = encoder.model(pixels_of(picture, encoder.shape.side).to(device))
        features, vector = features.cpu(), vector.cpu()
        encoder.kept.put(("features", content), features)
        encoder.kept.put(("vector", content), vector)
    return features, vector
