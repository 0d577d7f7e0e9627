"""Weights and inputs on which the published modules of PuLID were run; what came out lies in tests/fixtures.

`pulid_modules.safetensors` was made once, in float32 on a CPU, by
    save_file(outputs(encoders_transformer), "tests/fixtures/pulid_modules.safetensors")
with pulid/encoders_transformer.py of ToTheBeginning/PuLID at commit 1aa2fc7, whose classes every published file of the
encoder (v1.1 for SDXL, 0.9.0 and 0.9.1 for FLUX.1) is loaded into strictly. The port for this host that users have
(encoders_flux.py of balazik/ComfyUI-PuLID-Flux at a80912f) gives the same bits for one photo; it takes no more.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import torch
from pack.scripts.benches.engine.adapter_files import Shapes, crossings, id_former
from torch import Tensor

PERIOD = 1_000_003  # a prime: no two rows of a matrix are the same numbers
FEATURES, ROWS = 9, 7  # of a photo's scale, of a picture
PHOTOS = {"one photo": 1, "two photos": 2}
KEPT = 16  # every so many columns of what came out are kept
ENCODER = id_former(2048)
CROSSING = {key.removeprefix("0."): shape for key, shape in crossings(2048, 3072, [2048]).items()}


def weights(shapes: Shapes, seed: int) -> dict[str, Tensor]:
    """Numbers of variance 1 / fan-in, and of 0.1 around 1 in norms; a long tensor repeats `PERIOD` numbers."""
    state, stream = {}, numbers(seed, PERIOD)
    for turn, (key, shape) in enumerate(shapes.items()):
        count = math.prod(shape)
        value = stream.roll(turn * 7919).repeat(-(-count // PERIOD))[:count].view(shape) / shape[-1] ** 0.5
        state[key] = 1 + 3 * value if len(shape) == 1 and key.endswith("weight") else value
    return state


def numbers(seed: int, *shape: int) -> Tensor:
    """Normal numbers of a stream that NumPy promises never to change."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))


def faces(photos: int) -> tuple[Tensor, Tensor, Tensor]:
    """Face embeddings [1, R, 512], vectors [1, R, 768] of length 1, features [1, 5, R * L, 1024] of a person."""
    vectors = torch.nn.functional.normalize(numbers(12, 1, photos, 768), dim=-1)
    return numbers(11, 1, photos, 512), vectors, numbers(13, 1, 5, photos * FEATURES, 1024)


def picture() -> tuple[Tensor, Tensor]:
    """Tokens of a picture [2, P, 3072] and of a person [2, 32, 2048]."""
    return numbers(14, 2, ROWS, 3072), numbers(15, 2, 32, 2048)


@torch.no_grad()
def outputs(theirs: ModuleType) -> dict[str, Tensor]:
    """What the published modules make of it."""
    encoder, crossing = theirs.IDFormer(), theirs.PerceiverAttentionCA()
    encoder.load_state_dict(weights(ENCODER, 1), strict=True)
    crossing.load_state_dict(weights(CROSSING, 2), strict=True)
    found = {}
    for name, photos in PHOTOS.items():
        embeddings, vectors, features = faces(photos)
        given = torch.cat([embeddings, vectors], -1)
        found[name] = encoder(given[:, 0] if photos == 1 else given, list(features.unbind(1)))
    rows, tokens = picture()
    found["crossing"] = crossing(tokens, rows)
    return {name: value[..., ::KEPT].contiguous() for name, value in found.items()}
