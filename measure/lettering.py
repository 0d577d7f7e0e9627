"""Letters for names in any script: from a font that has them where there is one; never a crash where there is none."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

# Families that hold more than Latin letters, on Windows, macOS and Linux. DejaVu Sans comes with matplotlib.
FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Nirmala UI",
    "Segoe UI",
)


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of Pillow's, `size` pixels high, with every letter of the text; else the usual one, which draws boxes."""
    from PIL import ImageFont

    path = _covering("".join(sorted(set(text))))
    try:
        return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    except OSError:  # a font of a format that FreeType does not read
        return ImageFont.load_default(size)


def shortened(text: str, width: float, size: int) -> str:
    """The text on one line, cut with an ellipsis where it would be wider than `width` pixels."""
    text = " ".join(text.split())
    font = font_for(text + "…", size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, width: float, size: int, most: int = 2) -> list[str]:
    """The text on at most `most` lines of `width` pixels, broken between words; the last one cut where it must be."""
    lines, words = [], text.split()
    while words and len(lines) < most - 1:
        font = font_for(text, size)
        fitting = next(n for n in range(len(words), 0, -1) if n == 1 or font.getlength(" ".join(words[:n])) <= width)
        lines.append(shortened(" ".join(words[:fitting]), width, size))
        words = words[fitting:]
    return [*lines, shortened(" ".join(words), width, size)] if words else lines


def families_for(text: str) -> list[str]:
    """Families of matplotlib's to draw the text with: its own, then one that has the letters it lacks, if any has."""
    path = _covering("".join(sorted(set(text))))
    if not path or os.path.basename(path) == "DejaVuSans.ttf":
        return ["DejaVu Sans"]
    return ["DejaVu Sans", *(family for family, file in _installed().items() if file == path)]


@lru_cache(maxsize=256)
def _covering(letters: str) -> str:
    """The file of the first font that has all the letters; the usual one where none has, "" without matplotlib."""
    try:
        usual = _usual()
    except ImportError:
        return ""
    if _has(usual, letters):
        return usual
    return next((path for path in _installed().values() if _has(path, letters)), usual)


@lru_cache(maxsize=1)
def _usual() -> str:
    import matplotlib

    return os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    """Those of FAMILIES that are there, and their files. Looked up once: matplotlib reads every font of the machine."""
    from matplotlib import font_manager

    files = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    return {family: files[family] for family in FAMILIES if family in files}


@lru_cache(maxsize=64)
def _letters_of(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # not a font that FreeType reads
        return frozenset()


def _has(path: str, letters: str) -> bool:
    return all(ord(letter) in _letters_of(path) for letter in letters if letter.isprintable() and letter != " ")
