"""Photos of the training identities as latents, to be given as references: none of them is a picture of the corpus."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ..renderer import render
from ..scenes import photos
from .autoencoder import encode
from .corpus import training_identities

log = logging.getLogger(__name__)
HEAD, HEADS = 64, 4  # pixels along a side of a cut-out head; how many of each identity
BUST, BUSTS = 128, 1  # the same of whole photos, which is what a wider cut-out comes to
HALF = (0.25, 0.33)  # half the height of a head in its cut-out: the face's box is about half of it
OFF = 0.08  # how far the middle of a face may lie off that of the cut-out
PART = 500  # identities between two saves


@dataclass(frozen=True)
class Album:
    """Photos of people as latents: who [P] in rising order, head [P, HEADS, C, 8, 8], bust [P, BUSTS, C, 16, 16]."""

    who: Tensor
    head: Tensor
    bust: Tensor

    def draw(self, kind: str, who: Tensor, generator: torch.Generator) -> Tensor:
        """A photo of each of these identities, "head" or "bust": who [B] -> [B, C, h, w]."""
        photos = getattr(self, kind)
        one = torch.randint(0, photos.shape[1], (len(who),), generator=generator)
        return photos[torch.searchsorted(self.who, who), one].float()


def kept_album(model: nn.Module, who: Tensor, folder: Path) -> Album:
    """Photos of identities [P], rendered and encoded once; an interrupted run goes on.

    Kept in photos.pt; made anew for other people and another autoencoder.
    """
    path = folder / "photos.pt"
    mark = [model.vae_scale.item(), model.taesd_encoder[0].weight.abs().sum().item(), len(who), int(who.sum())]
    kept = torch.load(path, weights_only=True) if path.exists() else None
    if kept is None or kept["mark"] != mark:
        kept = {"mark": mark, "head": [], "bust": []}
    identities = training_identities()[who].split(PART)
    for part in range(len(kept["head"]), len(identities)):
        kept["head"].append(_photos(model, identities[part], HEADS, 110_000 + part, HEAD))
        kept["bust"].append(_photos(model, identities[part], BUSTS, 120_000 + part, BUST))
        torch.save(kept, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        log.info("took photos of %d of %d people", sum(map(len, kept["head"])), len(who))
    return Album(who, torch.cat(kept["head"]), torch.cat(kept["bust"]))


def _photos(model: nn.Module, identity: Tensor, count: int, seed: int, size: int) -> Tensor:
    """`count` photos of each identity [P, 24] as latents: [P, count, C, size / 8, size / 8]."""
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for rows in identity.repeat_interleave(count, 0).split(50):
        scene = photos(rows, generator)
        if size == HEAD:
            scene = replace(scene, place=_in_the_middle(len(rows), generator))
        parts.append(encode(model, render(scene, size).picture).half())
    return torch.cat(parts).unflatten(0, (len(identity), count))


def _in_the_middle(count: int, generator: torch.Generator) -> Tensor:
    """Places [count, 1, 3] of heads that fill about as much of a picture as they do of a cut-out."""
    half = HALF[0] + (HALF[1] - HALF[0]) * torch.rand(count, generator=generator)
    x, y = 0.5 + OFF * (2 * torch.rand(2, count, generator=generator) - 1)
    return torch.stack([x, y - 0.12 * half, half], -1)[:, None]
