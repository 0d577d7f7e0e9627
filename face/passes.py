"""The detection passes of a search, in order: as it is, smaller, larger, with a margin, brightened, turned.

A detector finds faces within a range of sizes, in pixels of its input. A close-up is too large for it and a face in a
crowd too small, so the picture is shown at other sizes. Where the graph takes one size only, a smaller picture is laid
on its canvas and a larger one is shown in overlapping tiles. Turns by eighths and quarters come last: they help least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SMALLER = (0.7, 0.5, 0.3)  # of the engine's size: 448, 320 and 192 of the usual 640
LARGER = (1.5, 2.0, 3.0)
BRIGHT = (1.0, 0.5, 2.0)
MARGIN = 0.5  # of the picture's size, on each side
UPSCALE = 2.0  # a picture is not shown at more than this times its own size, where that is above the engine's
STRIDE = 32  # sizes that a graph of free size takes are multiples of it
TILE_OVERLAP = 0.25
MARGIN_SHADE = 255  # white, which published workflows pad photos with


@dataclass(frozen=True)
class DetectionPass:
    """One way to show the picture to the detector.

    zoom    : its longer side in parts of the engine's size
    degrees : by which it is turned, clockwise
    bright  : of the picture brightened (see light.py)
    """

    words: str
    zoom: float = 1.0
    margin: float = 0.0
    degrees: int = 0
    bright: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """A canvas, uint8 [h, w, 3], with (a part of) the turned picture at a scale, its corner at `corner` (x, y)."""

    canvas: np.ndarray
    scale: tuple[float, float]  # of x and y, which rounding to whole pixels makes a little unlike
    corner: tuple[float, float]


def plain_pass(size: tuple[int, int]) -> DetectionPass:
    """The picture as it is, as every engine shows it to its detector."""
    return DetectionPass(f"at {size[0]}x{size[1]}")


def fallback_passes(size: tuple[int, int], picture: tuple[int, int], dim: bool = False) -> Iterator[DetectionPass]:
    """What to try after the plain pass, for an engine of `size` and a picture, both as width, height.

    dim : whether the picture is dark. Some passes are then brightened, not all: a face may be lit
    """
    side = max(size)
    for zoom in SMALLER:
        yield DetectionPass(f"at {round(zoom * side)}", zoom)
    yield from larger_passes(size, picture)
    yield DetectionPass("with a margin", 1.0, MARGIN)
    for zoom in BRIGHT if dim else ():
        if zoom * side <= UPSCALE * max(picture) or zoom <= 1:
            yield DetectionPass("brightened" + f" at {round(zoom * side)}" * (zoom != 1), zoom, bright=True)
    light = ", brightened" * dim
    for degrees in (45, 315):
        yield DetectionPass(f"turned by {degrees} degrees{light}", degrees=degrees, bright=dim)
    for degrees in (90, 270, 180):
        yield DetectionPass(f"turned by {degrees} degrees{light}", degrees=degrees, bright=dim)
        yield DetectionPass(f"turned by {degrees} degrees at {round(SMALLER[1] * side)}", SMALLER[1], degrees=degrees)


def larger_passes(size: tuple[int, int], picture: tuple[int, int]) -> Iterator[DetectionPass]:
    """Those that show the picture larger than it is shown at first, for small faces; see fallback_passes."""
    for zoom in LARGER:
        if zoom * max(size) <= UPSCALE * max(picture):
            yield DetectionPass(f"at {round(zoom * max(size))}", zoom)


def views(image: np.ndarray, how: DetectionPass, size: tuple[int, int], fixed: bool) -> Iterator[View]:
    """The canvases of one pass over a picture, uint8 [H, W, 3]."""
    import cv2

    width, height = turned_size(image.shape[1::-1], how.degrees)
    spread = 1 + 2 * how.margin
    scale = how.zoom * min(size[0] / (width * spread), size[1] / (height * spread))
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    exact = (columns / width, rows / height)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if how.degrees % 90:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)
        shown = tilted(small, how.degrees, (columns, rows))
    else:
        turned = np.ascontiguousarray(np.rot90(image, -how.degrees // 90))
        shown = cv2.resize(turned, (columns, rows), interpolation=way)
    left, top = round(columns * how.margin), round(rows * how.margin)
    if fixed and (columns > size[0] or rows > size[1]):
        yield from _tiles(shown, exact, size)
        return
    wide, high = size if fixed else (_multiple(columns + 2 * left), _multiple(rows + 2 * top))
    canvas = np.full((high, wide, 3), MARGIN_SHADE if how.margin else 0, np.uint8)
    # By rounding the picture may be a pixel larger than the canvas.
    shown = shown[: high - top, : wide - left]
    canvas[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    yield View(canvas, exact, (left, top))


def points_on_picture(points: np.ndarray, view: View, degrees: int, picture: tuple[int, int]) -> np.ndarray:
    """Points of a view, [..., 2] x and y, in pixels of the picture as it was before it was turned (width, height)."""
    from_middle = (np.asarray(points, np.float64) - view.corner) / view.scale
    from_middle -= np.array(turned_size(picture, degrees)) / 2
    return (from_middle @ turning(degrees) + np.array(picture) / 2).astype(np.float32)


def boxes_on_picture(boxes: np.ndarray, view: View, degrees: int, picture: tuple[int, int]) -> np.ndarray:
    """Boxes of a view, [F, 4] xyxy, as upright boxes about the same middles, in pixels of the picture."""
    middles = points_on_picture((boxes[:, :2] + boxes[:, 2:]) / 2, view, degrees, picture)
    shares = turning(degrees) ** 2  # of a side that was horizontal, and of one that was vertical
    halves = (boxes[:, 2:] - boxes[:, :2]) / view.scale @ shares / 2
    return np.concatenate([middles - halves, middles + halves], axis=1).astype(np.float32)


def turning(degrees: int) -> np.ndarray:
    """The matrix that turns a point about 0 clockwise, y downwards: [2, 2]; `points @ turning` turns them back."""
    turn = np.exp(1j * np.radians(degrees))
    return np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]).round(12)


def turned_size(picture: tuple[int, int], degrees: int) -> tuple[int, int]:
    """Width and height of the smallest upright canvas that holds all of a picture (width, height) after a turn."""
    width, height = np.abs(turning(degrees)) @ picture
    return round(width), round(height)


def tilted(image: np.ndarray, degrees: int, size: tuple[int, int]) -> np.ndarray:
    """The picture turned about its middle, in the middle of a black canvas (width, height)."""
    import cv2

    turn = turning(degrees)
    middle = (np.array(image.shape[1::-1]) - 1) / 2
    shift = (np.array(size) - 1) / 2 - turn @ middle
    return cv2.warpAffine(image, np.column_stack([turn, shift]), size)


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
