"""The host's pictures, float [B, H, W, C] in 0..1, to the rooms' pictures, uint8 [H, W, 3] RGB, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

STRIP = 256  # rows


def to_pictures(images: Tensor) -> list[np.ndarray]:
    """B pictures, uint8 [H, W, 3] RGB, of a host batch, [B, H, W, C] or one picture [H, W, C].

    C = 1 is grey, 3 colour, 2 and 4 the same with an alpha channel, which shows white where it is transparent.
    Values beyond 0..1 are clamped; what is not a number is black. Raises ValueError for any other shape.
    """
    batch = images[None] if images.ndim == 3 else images
    if batch.ndim != 4 or batch.shape[-1] not in (1, 2, 3, 4) or 0 in batch.shape:
        raise ValueError(
            f"Troupe: a picture has the shape [batch, height, width, channels] with 1 to 4 channels, "
            f"got {list(images.shape)}. Connect an IMAGE output."
        )
    return [to_picture(image) for image in batch.detach()]


def to_picture(image: Tensor) -> np.ndarray:
    """One picture, uint8 [H, W, 3], of [H, W, C]: strip by strip, so that 50 megapixels need no gigabytes besides."""
    picture = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, image.shape[0], STRIP):
        pixels = torch.nan_to_num(image[top : top + STRIP].to("cpu", torch.float32), nan=0.0).clamp(0, 1)
        if image.shape[-1] in (2, 4):
            colour, alpha = pixels[..., :-1], pixels[..., -1:]
            pixels = colour * alpha + (1 - alpha)
        picture[top : top + STRIP] = (pixels * 255).round().to(torch.uint8).numpy()
    return picture


def to_images(pictures: Sequence[np.ndarray]) -> Tensor:
    """Pictures of one size, uint8 [H, W, 3], as a host batch, float32 [B, H, W, 3]."""
    return torch.from_numpy(np.stack(pictures)).float().div_(255)


def with_changes(images: Tensor, pictures: Sequence[np.ndarray], changed: Sequence[np.ndarray]) -> Tensor:
    """A host batch whose changed pixels are those of `pictures`; the others keep their numbers, bit by bit.

    images   : what to_pictures was given; a colour picture's own numbers are kept, of all others its pictures'
    pictures : uint8 [H, W, 3] each
    changed  : bool [H, W] each
    """
    batch = images[None] if images.ndim == 3 else images
    if batch.shape[-1] != 3:
        return to_images(pictures)
    batch = batch.clone()
    for image, picture, mask in zip(batch, pictures, changed, strict=True):
        image[torch.from_numpy(mask).to(image.device)] = torch.from_numpy(picture[mask]).to(image) / 255
    return batch


def picture_size(width: int, height: int, image: Tensor | None, latent: Mapping[str, Any] | None) -> tuple[int, int]:
    """Width and height in pixels: of a picture [B, H, W, C], else of what a latent becomes, else those given.

    A latent says how many pixels a cell has, or its channels do: FLUX.2's 128 are of 16 x 16 pixels.
    """
    if image is not None:
        return image.shape[2], image.shape[1]
    if latent is None:
        return width, height
    samples = latent["samples"]
    pixels = latent.get("downscale_ratio_spacial") or (16 if samples.shape[1] == 128 else 8)
    return samples.shape[-1] * pixels, samples.shape[-2] * pixels
