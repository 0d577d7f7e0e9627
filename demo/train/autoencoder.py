"""Stage: the TAESD-format autoencoder, trained on crops, most of them around faces."""

import logging
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..form import Form
from .corpus import Corpus
from .host_models import new_autoencoder
from .loop import optimise

log = logging.getLogger(__name__)
CROP, BATCH = 48, 32


def train_autoencoder(form: Form, corpus: Corpus, folder: Path) -> nn.Module:
    """Pictures to an eighth of their size and back, by vae_scale and vae_shift with latents of mean 0 and variance 1.

    Latents are what UNet, adapter and ControlNet were trained on: none of them fits an autoencoder trained further.
    """
    model = new_autoencoder(form.latent_channels)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        picture = _crops(corpus, BATCH, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            latent = model.taesd_encoder(picture)
            noisy = latent + 0.05 * torch.randn(latent.shape, generator=generator)
            back = model.taesd_decoder(noisy)
        return _difference(back.float(), picture) + 1e-3 * (latent.float().square().mean() - 1).square()

    optimise("autoencoder", model, loss_at, form.steps["autoencoder"], 1e-3, folder)
    return normalise_latents(model, corpus)


@torch.no_grad()
def normalise_latents(model: nn.Module, corpus: Corpus) -> nn.Module:
    """Set vae_scale and vae_shift from sample pictures, and say how well they come back."""
    model.vae_scale.fill_(1.0)
    model.vae_shift.fill_(0.0)
    pictures = corpus.pictures(torch.arange(0, len(corpus), max(1, len(corpus) // 256)))
    latents = encode(model, pictures)
    # ComfyUI: encode gives z / scale + shift, decode takes (z - shift) * scale
    model.vae_scale.fill_(latents.std())
    model.vae_shift.fill_(-latents.mean() / latents.std())
    with torch.autocast("cpu", torch.bfloat16):
        back = model.taesd_decoder(latents.contiguous(memory_format=torch.channels_last))
    error = (back.float().clamp(0, 1) - pictures).square().mean()
    log.info("autoencoder: PSNR %.1f dB, latent std %.3f", -10 * math.log10(error), latents.std())
    return model


def _crops(corpus: Corpus, count: int, generator: torch.Generator) -> Tensor:
    """Square crops [count, 3, CROP, CROP]: a quarter of them anywhere, the others around faces."""
    scenes = torch.randint(0, len(corpus), (count,), generator=generator)
    faces = torch.randint(0, len(corpus.face_scene), (count,), generator=generator)
    some = count // 4
    scenes[some:] = corpus.face_scene[faces[some:]]
    pictures = corpus.pictures(scenes)
    room = pictures.shape[-1] - CROP
    corner = torch.randint(0, room + 1, (count, 2), generator=generator)
    boxes = corpus.facts(scenes, "face_box")[torch.arange(count), corpus.face_figure[faces]]
    around = (boxes[:, :2] + boxes[:, 2:]) / 2 * pictures.shape[-1] - CROP / 2
    corner[some:] = (around + (corner % 17) - 8).long().clamp(0, room)[some:]
    return torch.stack([p[:, y : y + CROP, x : x + CROP] for p, (x, y) in zip(pictures, corner.tolist(), strict=True)])


def _difference(back: Tensor, picture: Tensor) -> Tensor:
    """How far apart pictures [N, 3, S, S] are: absolute, squared, of local means, and of edges."""
    error = back - picture
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * F.avg_pool2d(error, 4).abs().mean() + 0.5 * edges


@torch.no_grad()
def encode(model: nn.Module, pictures: Tensor) -> Tensor:
    """Latents as ComfyUI's VAEEncode gives them: [N, 3, S, S] in 0..1 -> [N, C, S/8, S/8]."""
    rows = []
    for part in pictures.split(32):
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(model.taesd_encoder(part.contiguous(memory_format=torch.channels_last)).float())
    return torch.cat(rows) / model.vae_scale + model.vae_shift
