"""The looks a search takes at a picture, in order: as it is, smaller, larger, with a margin, turned.

A detector finds faces within a range of sizes, in pixels of its input. A close-up is too large for it and a face in a
crowd too small, so the picture is shown at other sizes. Where the graph takes one size only, a smaller picture is laid
on its canvas and a larger one is shown in overlapping tiles. Quarter turns come last: they cost most and help least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SMALLER = (0.7, 0.5, 0.3)  # of the engine's size: 448, 320 and 192 of the usual 640
LARGER = (1.5, 2.0, 3.0)
MARGIN = 0.5  # of the picture's size, on each side
UPSCALE = 2.0  # a picture is not shown at more than this times its own size, where that is above the engine's
STRIDE = 32  # sizes that a graph of free size takes are multiples of it
TILE_OVERLAP = 0.25
MARGIN_SHADE = 255  # white, which published workflows pad photos with


@dataclass(frozen=True)
class Look:
    """One way to show the picture. zoom: its longer side in parts of the engine's size; turns: quarters, clockwise."""

    words: str
    zoom: float = 1.0
    margin: float = 0.0
    turns: int = 0


@dataclass(frozen=True, eq=False)
class View:
    """A canvas, uint8 [h, w, 3], with (a part of) the turned picture at a scale, its corner at `corner` (x, y)."""

    canvas: np.ndarray
    scale: tuple[float, float]  # of x and y, which rounding to whole pixels makes a little unlike
    corner: tuple[float, float]


def plain_look(size: tuple[int, int]) -> Look:
    """The picture as it is, as every engine shows it to its detector."""
    return Look(f"at {size[0]}x{size[1]}")


def looks(size: tuple[int, int], picture: tuple[int, int]) -> Iterator[Look]:
    """What to try after the plain look, for an engine of `size` and a picture, both as width, height."""
    side = max(size)
    for zoom in SMALLER:
        yield Look(f"at {round(zoom * side)}", zoom)
    for zoom in LARGER:
        if zoom * side <= UPSCALE * max(picture):
            yield Look(f"at {round(zoom * side)}", zoom)
    yield Look("with a margin", 1.0, MARGIN)
    for turns in (1, 3, 2):
        yield Look(f"turned by {90 * turns} degrees", 1.0, turns=turns)
        yield Look(f"turned by {90 * turns} degrees at {round(SMALLER[1] * side)}", SMALLER[1], turns=turns)


def views(image: np.ndarray, look: Look, size: tuple[int, int], fixed: bool) -> Iterator[View]:
    """The canvases of one look at a picture, uint8 [H, W, 3]."""
    import cv2

    image = np.rot90(image, -look.turns)
    height, width = image.shape[:2]
    spread = 1 + 2 * look.margin
    scale = look.zoom * min(size[0] / (width * spread), size[1] / (height * spread))
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    exact = (columns / width, rows / height)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(np.ascontiguousarray(image), (columns, rows), interpolation=way)
    left, top = round(columns * look.margin), round(rows * look.margin)
    if fixed and (columns > size[0] or rows > size[1]):
        yield from _tiles(shown, exact, size)
        return
    wide, high = size if fixed else (_multiple(columns + 2 * left), _multiple(rows + 2 * top))
    canvas = np.full((high, wide, 3), MARGIN_SHADE if look.margin else 0, np.uint8)
    # By rounding the picture may be a pixel larger than the canvas.
    shown = shown[: high - top, : wide - left]
    canvas[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    yield View(canvas, exact, (left, top))


def points_on_picture(points: np.ndarray, view: View, turns: int, picture: tuple[int, int]) -> np.ndarray:
    """Points of a view, [..., 2] x and y, in pixels of the picture as it was before it was turned (width, height)."""
    x, y = np.moveaxis((np.asarray(points, np.float64) - view.corner) / view.scale, -1, 0)
    width, height = picture
    back = {0: (x, y), 1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}[turns % 4]
    return np.stack(back, axis=-1).astype(np.float32)


def _tiles(shown: np.ndarray, scale: tuple[float, float], size: tuple[int, int]) -> Iterator[View]:
    for y in _starts(shown.shape[0], size[1]):
        for x in _starts(shown.shape[1], size[0]):
            canvas = np.zeros((size[1], size[0], 3), np.uint8)
            part = shown[y : y + size[1], x : x + size[0]]
            canvas[: part.shape[0], : part.shape[1]] = part
            yield View(canvas, scale, (-x, -y))


def _starts(length: int, tile: int) -> list[int]:
    """Where tiles begin that cover `length` and overlap by at least TILE_OVERLAP."""
    count = 1 if length <= tile else 1 + int(np.ceil((length - tile) / (tile * (1 - TILE_OVERLAP))))
    return [round(start) for start in np.linspace(0, max(0, length - tile), count)]


def _multiple(length: int) -> int:
    return max(STRIDE, -(-length // STRIDE) * STRIDE)
