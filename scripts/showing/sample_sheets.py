"""Sheets of sample pictures: cards with a few pictures side by side and some words below, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FAINT = "#faf9f6", "#22252b", "#80858f"
SIDE, GAP, MARGIN, TEXT, LINE = 176, 6, 18, 13, 18
QUALITY = 82  # of the JPEG; the pictures are drawings, so their edges matter


@dataclass(frozen=True, eq=False)
class Card:
    """Pictures from left to right, uint8 [H, W, 3] each with a word below it, and lines about all of them."""

    pictures: Sequence[tuple[str, np.ndarray]]
    lines: Sequence[str]


def write_sheet(path: Path, cards: Sequence[Card], columns: int) -> None:
    """A JPEG with all cards, row by row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(cards, columns).save(path, quality=QUALITY, optimize=True)


def draw_sheet(cards: Sequence[Card], columns: int) -> Image.Image:
    """All cards on one sheet; cards of a sheet have equally many pictures."""
    width = max(len(card.pictures) for card in cards) * (SIDE + GAP) - GAP
    wrapped = [[part for line in card.lines for part in wrap(line, width)] for card in cards]
    height = SIDE + LINE + max(map(len, wrapped)) * LINE
    rows = -(-len(cards) // columns)
    size = (columns * (width + MARGIN) + MARGIN, rows * (height + MARGIN) + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    for index, (card, lines) in enumerate(zip(cards, wrapped, strict=True)):
        x = MARGIN + index % columns * (width + MARGIN)
        y = MARGIN + index // columns * (height + MARGIN)
        place_card(sheet, (x, y), card, lines)
    return sheet


def place_card(sheet: Image.Image, at: tuple[int, int], card: Card, lines: Sequence[str]) -> None:
    """One card, its upper left corner at `at`."""
    draw = ImageDraw.Draw(sheet)
    for index, (word, picture) in enumerate(card.pictures):
        x = at[0] + index * (SIDE + GAP)
        sheet.paste(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x, at[1]))
        draw.text((x, at[1] + SIDE + 2), word, FAINT, font())
    for number, line in enumerate(lines):
        draw.text((at[0], at[1] + SIDE + LINE * (number + 1) + 2), line, INK, font())


def wrap(text: str, width: int) -> list[str]:
    """Lines that fit into `width` pixels, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font().getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, so that the sheets look the same everywhere."""
    return ImageFont.load_default(TEXT)
