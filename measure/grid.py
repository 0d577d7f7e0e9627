"""Pictures side by side with a label and a few words each, so that they can be compared at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .lettering import font_for, shortened, wrapped

PAPER, INK, FAINT = (250, 249, 246), (34, 37, 43), (96, 101, 110)
SMALLEST_LETTERS = 12
LARGEST = 16384  # pixels along a side: what picture viewers and encoders take


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture, uint8 [H, W, 3], with a label above it and lines below it."""

    picture: np.ndarray
    label: str = ""
    lines: Sequence[str] = field(default_factory=tuple)


def columns_for(count: int) -> int:
    """How many columns `count` pictures are best laid out in: up to twice as many as rows, with few empty places."""
    least, most = math.ceil(math.sqrt(count)), math.ceil(math.sqrt(2 * count))
    return min(range(least, most + 1), key=lambda columns: -count % columns)


def in_rows(cells: Sequence[Cell], columns: int) -> list[list[Cell]]:
    """Cells in rows of `columns`; 0 for the number that suits them."""
    columns = columns or columns_for(len(cells))
    return [list(cells[first : first + columns]) for first in range(0, len(cells), columns)]


def draw_grid(rows: Sequence[Sequence[Cell]], side: int, title: str = "", portraits: Sequence[Cell] = ()) -> np.ndarray:
    """All cells on one sheet of paper, rows below each other, uint8 [H, W, 3].

    rows      : of any lengths, at least one cell in all
    side      : longest side of each picture in pixels; pictures keep their proportions, small ones are enlarged
    portraits : small pictures in a row above all, such as the people who should be seen
    Raises ValueError without a cell, or when the sheet would be longer than 16384 pixels.
    """
    from PIL import Image

    if not any(rows):
        raise ValueError("There is no picture to lay out.")
    gap = max(8, side // 24)
    sizes = [_fitted(cell.picture, side) for row in rows for cell in row]
    cell_width, picture_height = max(width for width, _ in sizes), max(height for _, height in sizes)
    lines = max(len(cell.lines) for row in rows for cell in row)
    letters = _letters(side)
    head = round(letters * 1.3) * max(len(wrapped(cell.label, cell_width, letters)) for row in rows for cell in row)
    cell_height = head + picture_height + round(lines * _small(side) * 1.4) + (gap // 2 if lines else 0)
    width = gap + max(map(len, rows)) * (cell_width + gap)
    strip = side // 3
    top = gap + (round(letters * 2) if title else 0)
    below = top + (strip + round(_small(side) * 1.6) + gap if portraits else 0)
    width = max(width, gap + len(portraits) * (strip + gap))
    height = below + len(rows) * (cell_height + gap)
    if max(width, height) > LARGEST:
        raise ValueError(
            f"The sheet would be {width}x{height} pixels. Choose a smaller size for each picture, or fewer pictures."
        )
    sheet = Image.new("RGB", (width, height), PAPER)
    if title:
        _write(sheet, (gap, gap), title, round(letters * 1.25), width - 2 * gap, INK)
    for index, cell in enumerate(portraits):
        _place_portrait(sheet, (gap + index * (strip + gap), top), cell, strip, side)
    for down, row in enumerate(rows):
        for across, cell in enumerate(row):
            corner = gap + across * (cell_width + gap), below + down * (cell_height + gap)
            _place(sheet, corner, cell, side, (cell_width, head, picture_height))
    return np.array(sheet)


def _place(sheet, corner: tuple[int, int], cell: Cell, side: int, room: tuple[int, int, int]) -> None:
    """One cell; `room` is its width, the height of its label and that of its picture."""
    x, y = corner
    width, head, height = room
    label = wrapped(cell.label, width, _letters(side))
    first = y + head - len(label) * round(_letters(side) * 1.3)  # a short label stands right above its picture
    for number, line in enumerate(label):
        _write(sheet, (x, first + number * round(_letters(side) * 1.3)), line, _letters(side), width, INK)
    sheet.paste(_scaled(cell.picture, side), (x, y + head))
    y += head + height + max(2, side // 64)
    for number, line in enumerate(cell.lines):
        _write(sheet, (x, y + round(number * _small(side) * 1.4)), line, _small(side), width, FAINT)


def _place_portrait(sheet, corner: tuple[int, int], cell: Cell, strip: int, side: int) -> None:
    scaled = _scaled(cell.picture, strip)
    sheet.paste(scaled, (corner[0], corner[1] + strip - scaled.height))
    _write(sheet, (corner[0], corner[1] + strip + 2), cell.label, _small(side), strip, FAINT)


def _write(sheet, corner: tuple[int, int], text: str, size: int, width: int, ink: tuple[int, int, int]) -> None:
    from PIL import ImageDraw

    if text:
        text = shortened(text, width, size)
        ImageDraw.Draw(sheet).text(corner, text, fill=ink, font=font_for(text, size))


def _letters(side: int) -> int:
    """Size of labels: still read when the sheet is shown at a third of its size."""
    return max(SMALLEST_LETTERS, side // 13)


def _small(side: int) -> int:
    return max(SMALLEST_LETTERS, side // 19)


def _fitted(picture: np.ndarray, side: int) -> tuple[int, int]:
    """Width and height of the picture with its longest side at `side`."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _scaled(picture: np.ndarray, side: int):
    from PIL import Image

    return Image.fromarray(picture).resize(_fitted(picture, side), Image.Resampling.LANCZOS)
