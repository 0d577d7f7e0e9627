"""Photos of members, cut out around the face and encoded by the VAE, for self-attention to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from ...attention.cast import Cast

AROUND = 2.0  # side of the cut-out in lengths of the face box: hair and jaw are in it
ROOM = 0.25  # how far the face's cells reach beyond its box, in parts of the box on each side


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


def cut_out(picture: np.ndarray, box: Sequence[float] | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A square around a face, and where the face is in it.

    picture : uint8 [H, W, 3]
    box     : x0, y0, x1, y1 in pixels, or None for the middle of the whole picture, all of which counts as face
    returns uint8 [size, size, 3] and bool [size, size]
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box if box is not None else (0, 0, width, height)
    side = min(max(x1 - x0, y1 - y0) * (AROUND if box is not None else 1.0), height, width)
    left = float(np.clip((x0 + x1 - side) / 2, 0, width - side))
    top = float(np.clip((y0 + y1 - side) / 2, 0, height - side))
    scale = size / side
    move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    inside = picture[round(top) : round(top + side), round(left) : round(left + side)]
    cut = cv2.resize(np.ascontiguousarray(inside), (size, size), interpolation=shrinking)
    if box is None:
        return cut, np.ones((size, size), dtype=bool)
    corners = move @ np.array([[x0, x1], [y0, y1], [1, 1]])
    middle, half = corners.mean(1), (corners[:, 1] - corners[:, 0]) * (0.5 + ROOM)
    y, x = np.mgrid[:size, :size] + 0.5
    face = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 < 1
    return cut, face
