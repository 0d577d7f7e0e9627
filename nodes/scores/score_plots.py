"""The figures of pictures as pictures: a heat map of similarities for each, and a few words below a thumbnail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ...measure.figures import Figures
from ...measure.heat_map import heat_map
from ...measure.lettering import font_for

WITHOUT = "The heat map needs matplotlib. Install requirements.txt of ComfyUI-Troupe."


def heat_maps(figures: Sequence[Figures], names: Sequence[str]) -> list[np.ndarray]:
    """A heat map for each picture, all of one size; where matplotlib is missing, a sentence that says so."""
    rows = max(one.score.count for one in figures)
    try:
        return [
            heat_map(one.score.similarity, one.score.matched, names, title_of(number, len(figures), one), rows)
            for number, one in enumerate(figures, 1)
        ]
    except ImportError:
        return [_sentence(WITHOUT)] * len(figures)


def title_of(number: int, of: int, figures: Figures) -> str:
    """Which picture it is, and the figures that sum it up."""
    which = f"picture {number} of {of}: " if of > 1 else ""
    return f"{which}overall {figures.whole['overall']:.2f}, own {figures.whole['own']:.2f}"


def caption(scores: Mapping) -> list[str]:
    """What the report on one picture (measure/report.py) says in two short lines."""
    other = "" if scores.get("other") is None else f", others {scores['other']:.2f}"
    placed = round(scores["right_place"] * scores["expected"])
    return [f"own {scores['own']:.2f}{other}", f"in place {placed} of {scores['expected']}, faces {scores['count']}"]


def _sentence(text: str) -> np.ndarray:
    font = font_for(text, 18)
    picture = Image.new("RGB", (round(font.getlength(text)) + 40, 80), "white")
    ImageDraw.Draw(picture).text((20, 28), text, fill="black", font=font)
    return np.array(picture)
