"""Bodies on pictures of the offline world, found from their faces and the colour of their shirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

FACE_HALF, FACE_DOWN = 0.86, 0.12  # of a face's box and its centre, in half heights of the head (demo/geometry.py)
CROWN = 1.08  # with some hair
CHEST = (0.45, 1.85, 2.5)  # where the shirt is looked at: half width, from and to, in half heights of the head
SHIRT = (1.9, 1.0, 4.1)  # where it may reach
ALIKE = 0.2  # largest difference of a channel within a shirt
LEGS, DARK = (5.5, 1.0), 0.42  # how far down legs go and to each side, and how bright they may be
LEAST = 0.3  # a shirt fills at least this part of the place it is looked at


@dataclass(frozen=True, eq=False)
class Body:
    """A person on a picture: xyxy pixels around all that is seen, and the shirt's colour, RGB in 0..1, or None."""

    box: np.ndarray
    colour: np.ndarray | None


def find_body(picture: np.ndarray, face: np.ndarray) -> Body:
    """The body below a face, from its pixels.

    picture : uint8 [H, W, 3]
    face    : xyxy pixels
    The commonest colour of the chest is followed as far as it goes, then dark legs below it. Where the chest has no
    colour of its own, only the head is found.
    """
    height, width = picture.shape[:2]
    half = (face[3] - face[1]) / 2 / FACE_HALF
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2 - FACE_DOWN * half
    head = [face[0], y - CROWN * half, face[2], y + half]
    values = picture.astype(np.float32) / 255
    chest = _window((height, width), x, y, half, CHEST)
    shirt, colour = np.zeros((height, width), bool), None
    if chest.any():
        middle = np.median(values[chest], 0)
        alike = np.abs(values - middle).max(-1) <= ALIKE
        if alike[chest].mean() >= LEAST:
            shirt, colour = _touching(alike & _window((height, width), x, y, half, SHIRT), chest), middle
    parts = [head]
    if shirt.any():
        low = np.flatnonzero(shirt.any(1))[-1] + 1
        below = _window((height, width), x, y, half, (LEGS[1], (low - y) / half - 0.1, LEGS[0]))
        start = _window((height, width), x, y, half, (LEGS[1], (low - y) / half - 0.1, (low - y) / half + 0.3))
        parts += [_box(shirt)]
        legs = _touching((values.max(-1) <= DARK) & below & ~shirt, start)
        parts += [_box(legs)] if legs.sum() >= half**2 / 4 else []
    edges = np.array(parts, np.float64)
    box = np.array([*edges[:, :2].min(0), *edges[:, 2:].max(0)])
    return Body(box.clip(0, [width, height, width, height]), colour)


def _window(shape: tuple[int, int], x: float, y: float, half: float, part: tuple[float, float, float]) -> np.ndarray:
    """bool [H, W]: the pixels within a half width to each side, from one height to another."""
    rows, columns = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    down = (rows >= y + part[1] * half) & (rows <= y + part[2] * half)
    return down[:, None] & (np.abs(columns - x) <= part[0] * half)


def _touching(mask: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The connected parts of a mask that reach into `start`."""
    labels, _ = ndimage.label(mask)
    reached = np.unique(labels[start & mask])
    return np.isin(labels, reached[reached > 0])


def _box(mask: np.ndarray) -> list[float]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
