"""The painted mask inside a Draw Regions text: a small 1-bit PNG, so that a shared workflow opens complete."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

LONGEST_SIDE = 256
MOST_BYTES = 8192
# What Pillow raises for a file that is damaged, cut off or no picture.
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, UnidentifiedImageError)


def decode_mask(text: str) -> Tensor:
    """The mask [H, W] float32, 0 or 1, of a base64 text. Raises BadMask with what is wrong, as part of a sentence."""
    data = _bytes(text)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            _check(picture)
            picture.load()
            pixels = np.array(picture, dtype=np.float32)
    except BadMask:
        raise
    except Image.DecompressionBombError as error:
        raise BadMask(f"is far larger than the {LONGEST_SIDE} pixels a side that are possible") from error
    except DAMAGE as error:
        raise BadMask("is not a PNG file, or a damaged one") from error
    return torch.from_numpy(pixels)


def encode_mask(mask: Tensor) -> str:
    """The base64 text of a mask [H, W] in [0, 1], cut at one half. Raises BadMask for one that is too large."""
    if max(mask.shape) > LONGEST_SIDE:
        raise BadMask(f"is {mask.shape[1]} x {mask.shape[0]} pixels, at most {LONGEST_SIDE} a side are possible")
    file = io.BytesIO()
    Image.fromarray((mask.cpu() >= 0.5).numpy()).save(file, "PNG", optimize=True)
    if len(file.getvalue()) > MOST_BYTES:
        raise BadMask(f"takes {len(file.getvalue())} bytes as PNG, at most {MOST_BYTES} are possible")
    return base64.b64encode(file.getvalue()).decode()


class BadMask(ValueError):
    """A mask that a Draw Regions text cannot hold."""


def _bytes(text: str) -> bytes:
    # Looked at before decoding, so that a huge text costs nothing.
    if len(text) > -(-MOST_BYTES // 3) * 4:
        raise BadMask(f"takes more than {MOST_BYTES} bytes; paint it again, or at a smaller size")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMask("is not base64") from error


def _check(picture: Image.Image) -> None:
    if max(picture.size) > LONGEST_SIDE:
        raise BadMask(f"is {picture.width} x {picture.height} pixels, at most {LONGEST_SIDE} a side are possible")
    if picture.mode != "1":
        raise BadMask(f"is a PNG of mode {picture.mode}, it should be black and white with 1 bit per pixel")
