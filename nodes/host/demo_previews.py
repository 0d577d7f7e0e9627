"""The colours of the demo world's latents, for the pictures that a sampler shows while it works."""

from __future__ import annotations

from pathlib import Path

import comfy.utils
import torch
from comfy.taesd.taesd import TAESD

from ...demo.renderer import render
from ...demo.scenes import random_scenes

SEED, PEOPLE, SIDE = 7, 2, 128  # of the scene that the colours are read off


def latent_colours(weights: Path, channels: int) -> tuple[list[list[float]], list[float]]:
    """What a cell's latent numbers add to its colour in -1..1, [channels][3], and the colour without any of them, [3].

    weights : the autoencoder in TAESD's format
    Fitted by least squares to one rendered scene and its latents, 256 cells. On other scenes they explain nine tenths
    of the variance of the decoded colours, as those fitted to sixteen scenes do. As quick as to encode one picture.
    """
    autoencoder = TAESD(latent_channels=channels)
    autoencoder.load_state_dict(comfy.utils.load_torch_file(str(weights)))
    picture = render(random_scenes(1, PEOPLE, torch.Generator().manual_seed(SEED)), SIDE).picture
    with torch.no_grad():
        latents = autoencoder.float().encode(picture * 2 - 1)
    cells = torch.nn.functional.adaptive_avg_pool2d(picture * 2 - 1, latents.shape[-2:])
    numbers, colours = (t.flatten(2)[0].mT for t in (latents, cells))  # [cells, channels], [cells, 3]
    fitted = torch.linalg.lstsq(torch.cat([numbers, torch.ones(len(numbers), 1)], 1), colours).solution
    return fitted[:-1].tolist(), fitted[-1].tolist()
