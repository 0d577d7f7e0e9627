"""Stages: the TAESD-format autoencoder, trained on crops, most of them around faces; and its decoder alone."""

import logging
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..form import Form
from .corpus import Corpus
from .host_models import new_autoencoder
from .importance import face_weight, feature_weight
from .loop import Run, optimise

log = logging.getLogger(__name__)
CROP, BATCH = 48, 32
NOISE = 0.05  # on latents, which a sampler gets only nearly right
FACES = 3.0  # how much more a face counts than the rest
FEATURES = 40.0  # and its eyes and mouth again: they are few pixels, and all that tells a mood


def train_autoencoder(form: Form, corpus: Corpus, run: Run) -> nn.Module:
    """Pictures to an eighth of their size and back, by vae_scale and vae_shift with latents of mean 0 and variance 1.

    UNet, adapter and ControlNet are trained on these latents. An encoder that is trained further makes others, and
    none of the three fits them: train them again, or leave the encoder alone and sharpen with `train_decoder`.
    """
    model = new_autoencoder(form.latent_channels)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        picture, weight = _crops(corpus, BATCH, generator)
        picture = picture.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            latent = model.taesd_encoder(picture)
            noisy = latent + NOISE * torch.randn(latent.shape, generator=generator)
            back = model.taesd_decoder(noisy)
        return _difference(back.float(), picture, weight) + 1e-3 * (latent.float().square().mean() - 1).square()

    optimise(run, model, loss_at, 1e-3)
    return model if run.as_shipped else normalise_latents(model, corpus)


def train_decoder(model: nn.Module, corpus: Corpus, run: Run) -> nn.Module:
    """Sharpen an autoencoder: its decoder learns on, latents stay what they are, vae_scale and vae_shift included.

    Raises RuntimeError where a decoder has been trained for another encoder in the same folder.
    """
    encoder = sum(weight.double().abs().sum().item() for weight in model.taesd_encoder.parameters())

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        picture, weight = _crops(corpus, BATCH, generator)
        picture = picture.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                latent = model.taesd_encoder(picture)
            back = model.taesd_decoder(latent + NOISE * torch.randn(latent.shape, generator=generator))
        return _difference(back.float(), picture, weight)

    optimise(run, model.taesd_decoder, loss_at, 5e-4, upon=encoder)
    log.info("decoder: PSNR %.1f dB", quality(model, corpus))
    return model


@torch.no_grad()
def normalise_latents(model: nn.Module, corpus: Corpus) -> nn.Module:
    """Set vae_scale and vae_shift from sample pictures, and say how well they come back."""
    model.vae_scale.fill_(1.0)
    model.vae_shift.fill_(0.0)
    latents = encode(model, _samples(corpus))
    # ComfyUI: encode gives z / scale + shift, decode takes (z - shift) * scale
    model.vae_scale.fill_(latents.std())
    model.vae_shift.fill_(-latents.mean() / latents.std())
    log.info("autoencoder: PSNR %.1f dB, latent std %.3f", quality(model, corpus), latents.std())
    return model


@torch.no_grad()
def quality(model: nn.Module, corpus: Corpus) -> float:
    """How well sample pictures come back: PSNR in dB."""
    pictures = _samples(corpus)
    latents = (encode(model, pictures) - model.vae_shift) * model.vae_scale
    with torch.autocast("cpu", torch.bfloat16):
        back = model.taesd_decoder(latents.contiguous(memory_format=torch.channels_last))
    return -10 * math.log10((back.float().clamp(0, 1) - pictures).square().mean())


def _samples(corpus: Corpus) -> Tensor:
    return corpus.pictures(torch.arange(0, len(corpus), max(1, len(corpus) // 256)))


def _crops(corpus: Corpus, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Square crops [count, 3, CROP, CROP], a quarter of them anywhere, the others around faces.

    Besides, how much each pixel counts, [count, 1, CROP, CROP].
    """
    scenes = torch.randint(0, len(corpus), (count,), generator=generator)
    faces = torch.randint(0, len(corpus.face_scene), (count,), generator=generator)
    some = count // 4
    scenes[some:] = corpus.face_scene[faces[some:]]
    pictures = corpus.pictures(scenes)
    room = pictures.shape[-1] - CROP
    corner = torch.randint(0, room + 1, (count, 2), generator=generator)
    all_boxes = corpus.facts(scenes, "face_box")
    boxes = all_boxes[torch.arange(count), corpus.face_figure[faces]]
    around = (boxes[:, :2] + boxes[:, 2:]) / 2 * pictures.shape[-1] - CROP / 2
    corner[some:] = (around + (corner % 17) - 8).long().clamp(0, room)[some:]
    side, points = pictures.shape[-1], corpus.facts(scenes, "key_points")
    weight = face_weight(all_boxes, side, FACES) * feature_weight(points, all_boxes, side, FEATURES)
    both = torch.cat([pictures, weight], 1)
    both = torch.stack([p[:, y : y + CROP, x : x + CROP] for p, (x, y) in zip(both, corner.tolist(), strict=True)])
    return both[:, :3], both[:, 3:]


def _difference(back: Tensor, picture: Tensor, weight: Tensor) -> Tensor:
    """How far apart pictures [N, 3, S, S] are: absolute, squared, of local means, and of edges; weight [N, 1, S, S]."""
    error, weight = back - picture, weight / weight.mean()
    across, down = error.diff(dim=-1).abs(), error.diff(dim=-2).abs()
    edges = (across * weight[..., 1:]).mean() + (down * weight[..., 1:, :]).mean()
    pixels = ((error.abs() + 2 * error.square()) * weight).mean()
    return pixels + 0.5 * F.avg_pool2d(error, 4).abs().mean() + 0.5 * edges


@torch.no_grad()
def encode(model: nn.Module, pictures: Tensor) -> Tensor:
    """Latents as ComfyUI's VAEEncode gives them: [N, 3, S, S] in 0..1 -> [N, C, S/8, S/8]."""
    rows = []
    for part in pictures.split(32):
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(model.taesd_encoder(part.contiguous(memory_format=torch.channels_last)).float())
    return torch.cat(rows) / model.vae_scale + model.vae_shift
