"""Stage: the image encoder that tells subjects apart, people and things alike, in the host's own CLIP vision class."""

import logging
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..people import new_identities
from ..renderer import render
from ..scenes import KINDS, photos
from .corpus import PEOPLE, training_identities
from .host_models import image_embeds, new_image_encoder
from .loop import Run, optimise

log = logging.getLogger(__name__)
SIDE = 64  # pixels along a side
WIDTH = 256  # of an embedding
CONFIG = {
    "model_type": "clip_vision_model",
    "image_size": SIDE,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "patch_size": 16,
    "num_channels": 3,
    "hidden_size": 96,
    "intermediate_size": 256,
    "num_attention_heads": 3,
    "num_hidden_layers": 3,
    "hidden_act": "quick_gelu",
    "projection_dim": WIDTH,
}
SHARES = (0.5, 0.25, 0.25)  # of KINDS, among the subjects of the album and of each batch
SUBJECTS, PHOTOS = 6000, 6  # in the album
BATCH = 128  # subjects, two photos each
TEMPERATURE = 0.07


def train_subject_encoder(most: int, folder: Path, run: Run) -> nn.Module:
    """Contrast within a batch: a photo should be most like the other photo of its subject (arXiv 2002.05709, eq. 1).

    most   : how many subjects the album has at most
    folder : where the album is kept
    """
    model = new_image_encoder(CONFIG)
    album = cache(lambda: kept_album(folder, min(SUBJECTS, most)))
    embed = run.fast(lambda pixels: image_embeds(model, pixels))

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        pictures = torch.cat(pairs(*album(), generator)).float() / 255
        with torch.autocast("cpu", torch.bfloat16):
            embedding = embed(worn(pictures, generator) * 2 - 1)
        return contrast(embedding.float())

    return optimise(run, model, loss_at, 1.5e-3)


def contrast(embedding: Tensor) -> Tensor:
    """Cross-entropy of finding each photo's partner: [2 N, width], where n and n + N show the same subject."""
    normed = F.normalize(embedding)
    likeness = (normed @ normed.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    return F.cross_entropy(likeness, torch.arange(len(embedding)).roll(len(embedding) // 2))


def pairs(album: Tensor, kind: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two different photos of each of `BATCH` subjects, kinds by `SHARES`: two times uint8 [N, 3, SIDE, SIDE]."""
    of_kind = [(kind == number).nonzero().flatten() for number in range(len(KINDS))]
    counts = [min(int(BATCH * share), len(rows)) for share, rows in zip(SHARES, of_kind, strict=True)]
    who = [rows[torch.randperm(len(rows), generator=generator)[:n]] for rows, n in zip(of_kind, counts, strict=True)]
    who = torch.cat(who)
    first = torch.randint(0, album.shape[1], (len(who),), generator=generator)
    second = (first + torch.randint(1, album.shape[1], (len(who),), generator=generator)) % album.shape[1]
    return album[who, first], album[who, second]


def worn(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures [N, 3, S, S] a little blurred (half of them), brighter or darker, and noisy; colours stay."""
    count, size = len(pictures), pictures.shape[-1]
    blurred = F.interpolate(F.avg_pool2d(pictures, 2), size=size, mode="bilinear")
    out = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < 0.5, blurred, pictures)
    out = out * (0.93 + 0.14 * torch.rand(count, 1, 1, 1, generator=generator))
    return (out + 0.02 * torch.randn(out.shape, generator=generator)).clamp(0, 1)


def kept_album(folder: Path, subjects: int) -> tuple[Tensor, Tensor]:
    """Photos of training identities, people and things, rendered once: uint8 [S, PHOTOS, 3, SIDE, SIDE], kinds [S]."""
    path = folder / "album.pt"
    if not path.exists():
        log.info("rendering %d photos of %d subjects", subjects * PHOTOS, subjects)
        kind = kinds_of(subjects)
        identity = training_identities()[torch.arange(subjects) % PEOPLE]
        torch.save({"photos": portraits(identity, kind, PHOTOS, 50_000), "kind": kind}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    kept = torch.load(path, weights_only=True, mmap=True)
    return kept["photos"], kept["kind"]


def kinds_of(subjects: int) -> Tensor:
    """A kind for each of some subjects [S], people first, by `SHARES`."""
    return torch.bucketize((torch.arange(subjects) + 0.5) / subjects, torch.tensor(SHARES).cumsum(0)[:-1])


def portraits(identity: Tensor, kind: Tensor, count: int, seed: int, size: int = SIDE) -> Tensor:
    """`count` photos of each subject, alone: identity [S, 24], kind [S] -> uint8 [S, count, 3, size, size]."""
    generator = torch.Generator().manual_seed(seed)
    out = torch.zeros(len(identity), count, 3, size, size, dtype=torch.uint8)
    for number in range(len(KINDS)):
        shown = (kind == number).nonzero().flatten()
        for rows in shown.split(32) if len(shown) else ():
            for photo in range(count):
                picture = render(photos(identity[rows], generator, number), size).picture
                out[rows, photo] = (picture * 255).round().to(torch.uint8)
    return out


@torch.no_grad()
def embeddings_of(encoder: nn.Module, pictures: Tensor) -> Tensor:
    """What CLIP Vision Encode says of pictures uint8 [..., 3, SIDE, SIDE]: image_embeds [..., WIDTH]."""
    flat = pictures.flatten(0, -4)
    parts = [image_embeds(encoder, part.float() / 255 * 2 - 1) for part in flat.split(256)]
    return torch.cat(parts).unflatten(0, pictures.shape[:-3])


def subject_rank_one(encoder: nn.Module, subjects: int = 200, seed: int = 90_002) -> tuple[float, list[float]]:
    """Unseen subjects, two photos each: share whose likest other photo is their own, of all and by kind."""
    kind = kinds_of(subjects)
    identity = new_identities(subjects, torch.Generator().manual_seed(seed))
    one, other = F.normalize(embeddings_of(encoder, portraits(identity, kind, 2, seed)), dim=-1).unbind(1)
    right = ((one @ other.T).argmax(1) == torch.arange(subjects)).float()
    return right.mean().item(), [right[kind == number].mean().item() for number in range(len(KINDS))]
