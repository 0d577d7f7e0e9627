"""Photos of members, cut out around the face and encoded by the VAE, for self-attention to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....attention.recipes.cast import Cast
from ....face.cut_out import cut_out


@dataclass(frozen=True, eq=False)
class EncodedPhotos:
    """A member's photos.

    latents : [P, C, h, w] as the VAE gives them
    faces   : [P, h, w] bool, the cells of the face
    """

    latents: Tensor
    faces: Tensor


def encode_photos(cast: Cast, vae: Any, size: int) -> tuple[EncodedPhotos | None, ...]:
    """Each member's photos as latents of `size` pixels a side; None for one whose photos were not kept.

    Raises ValueError where no VAE is given, or nobody in the cast has a photo.
    """
    if vae is None:
        raise ValueError(
            "Troupe: this recipe lets people attend to their reference photos, which have to be encoded first. "
            "Connect the checkpoint's VAE to the input 'vae' of Apply Cast."
        )
    photos = tuple(_encoded(member.identity, vae, size) for member in cast)
    if all(own is None for own in photos):
        raise ValueError(
            "Troupe: this recipe lets people attend to their reference photos, and no identity in the cast has one "
            "(a file of an identity does not keep photos). Extract the identities from photos, or choose a recipe "
            "without references."
        )
    return photos


def _encoded(identity: Any, vae: Any, size: int) -> EncodedPhotos | None:
    pictures = getattr(identity, "photos", ())
    if not pictures:
        return None
    boxes = identity.boxes if len(identity.boxes) == len(pictures) else [None] * len(pictures)
    cut = [cut_out(picture, box, size) for picture, box in zip(pictures, boxes, strict=True)]
    pixels = torch.from_numpy(np.stack([picture for picture, _ in cut])).float() / 255
    latents = vae.encode(pixels)
    faces = torch.nn.functional.adaptive_avg_pool2d(
        torch.from_numpy(np.stack([face for _, face in cut]))[:, None].float(), latents.shape[-2:]
    )
    return EncodedPhotos(latents.cpu(), faces[:, 0] >= 0.5)
