"""Marks on a picture: labelled boxes and outlines of regions, readable on small pictures too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .lettering import font_for

SMALLEST_SIDE = 512  # smaller pictures are enlarged before anything is drawn,
LONGEST_SIDE = 4096  # but not beyond this: a strip of pixels would become a picture of gigabytes
# Told apart with any colour vision: the palette of Okabe and Ito (2008) without black. Grey is kept for strangers.
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
GREY = (190, 190, 190)

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Mark:
    """One labelled box: xyxy pixels of the picture, text, colour; a strong mark has a thicker line."""

    bbox: Sequence[float]
    label: str
    colour: Colour = GREY
    strong: bool = True


def member_colour(index: int) -> Colour:
    return COLOURS[index % len(COLOURS)]


def annotate(
    picture: np.ndarray, marks: Sequence[Mark], outlines: Iterable[tuple[np.ndarray, Colour]] = ()
) -> np.ndarray:
    """The picture with marks, enlarged by a whole factor so that its shorter side has at least 512 pixels, the longer
    one permitting.

    picture  : uint8 [H, W, 3] RGB; not changed
    outlines : regions, bool [H, W], each with the colour of its thin border; taken one by one
    returns uint8 [k H, k W, 3]
    """
    from PIL import Image, ImageDraw

    factor = max(1, min(-(-SMALLEST_SIDE // min(picture.shape[:2])), LONGEST_SIDE // max(picture.shape[:2])))
    size = (picture.shape[1] * factor, picture.shape[0] * factor)
    canvas = np.array(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
    for region, colour in outlines:
        canvas[border(region.repeat(factor, 0).repeat(factor, 1) if factor > 1 else region)] = colour
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    line = max(2, min(size) // 256)
    letters = max(16, min(size) // 28)
    labels: list[Rectangle] = []
    boxes = [[float(edge) * factor for edge in mark.bbox] for mark in marks]
    for mark, box in zip(marks, boxes, strict=True):
        draw.rectangle(box, outline=mark.colour, width=2 * line if mark.strong else line)
    for mark, box in zip(marks, boxes, strict=True):
        font = font_for(mark.label, letters)
        text = draw.textbbox((line, line), mark.label, font=font)
        place = free_place(box, (round(text[2]) + line, round(text[3]) + line), size, labels, boxes)
        labels.append(place)
        draw.rectangle(place, fill=mark.colour)
        draw.text((place[0] + line, place[1] + line), mark.label, fill=ink_on(mark.colour), font=font)
    return np.asarray(image)


def free_place(
    box: Sequence[float], label: tuple[int, int], size: tuple[int, int], labels: Sequence[Rectangle], boxes: Sequence
) -> Rectangle:
    """Where the label, (width, height), of a box goes in a picture of `size`, (width, height).

    Above or below the box or anywhere beside its left or right edge: the first place that hides the least of other
    labels, and of those the least of other boxes.
    """
    most_x, most_y = max(0, size[0] - label[0]), max(0, size[1] - label[1])
    columns = [int(np.clip(x, 0, most_x)) for x in (box[0], box[2] - label[0])]
    rows = [int(np.clip(y, 0, most_y)) for y in (box[1] - label[1], box[3])]
    rows += range(rows[0], most_y + 1, max(1, label[1] // 4))
    places = [(x, y, x + label[0], y + label[1]) for y in rows for x in columns]
    others = [other for other in boxes if other is not box]
    return min(places, key=lambda place: (_hidden(labels, place), _hidden(others, place)))


def border(region: np.ndarray) -> np.ndarray:
    """The rim of a region, bool [H, W]: its pixels that have a neighbour outside; the picture's edge is no rim."""
    rim = np.zeros_like(region)
    for axis in (0, 1):
        for step in (1, -1):
            neighbour = np.roll(region, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
            neighbour[tuple(edge)] = region[tuple(edge)]
            rim |= region & ~neighbour
    return rim


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever is read better on the colour (ITU-R BT.601 luma)."""
    return (0, 0, 0) if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 128 else (255, 255, 255)


def _hidden(rectangles: Sequence[Sequence[float]], place: Rectangle) -> float:
    """Area of the rectangles that a label at `place` would hide."""
    widths = [max(0, min(place[2], other[2]) - max(place[0], other[0])) for other in rectangles]
    heights = [max(0, min(place[3], other[3]) - max(place[1], other[1])) for other in rectangles]
    return sum(width * height for width, height in zip(widths, heights, strict=True))
