"""A VAE of random weights in the host's own class, and people whose photos it encodes for recipes that look at them."""

from types import SimpleNamespace

import comfy.sd
import numpy as np
import torch
from comfy.taesd.taesd import TAESD
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import References
from pack.tests.host.tiny_models import ADA, BOB, LEFT, RIGHT

SEEING = References(1.0, 0.0, 1.0, size=32)


@torch.inference_mode()
def random_vae():
    """Four latent channels, an eighth of the picture's side."""
    generator = torch.Generator().manual_seed(3)
    state = TAESD(latent_channels=4).state_dict()
    for name, weights in state.items():
        spread = weights[0].numel() ** -0.5 if weights.ndim > 1 else 0.0
        weights.copy_(torch.randn(weights.shape, generator=generator) * spread)
        if name == "vae_scale":
            weights.fill_(1.0)
    return comfy.sd.VAE(sd=state)


def photographed(person, seed, count=1):
    """A person with photos, and a face in the middle of each."""
    generator = np.random.default_rng(seed)
    photos = tuple(generator.integers(0, 255, (48, 40, 3), dtype=np.uint8) for _ in range(count))
    boxes = np.tile(np.float32([12, 14, 28, 34]), (count, 1))
    return SimpleNamespace(**{**vars(person), "photos": photos, "boxes": boxes})


PAIR = (Member(photographed(ADA, 1, 2), LEFT), Member(photographed(BOB, 2), RIGHT))
