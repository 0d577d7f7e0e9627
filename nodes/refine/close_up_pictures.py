"""Every redrawn face before and after, side by side, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...measure.annotate import GREY, Mark, annotate
from ...measure.grid import Cell, draw_grid
from ..marks import reduced
from .refining import Refined

SIDE = 256  # pixels along a side of each close-up: a batch of many faces stays small


def before_and_after(refined: Refined) -> list[np.ndarray]:
    """A picture for each redrawn face, all of one size; the first of the pictures, marked, where there is none."""
    several = len(refined.pictures) > 1
    sheets = [
        draw_grid(
            [[Cell(face.before, "before"), Cell(face.after, "after")]],
            SIDE,
            f"{face.name}{f', picture {face.picture + 1}' * several}",
        )
        for face in refined.faces
    ]
    return sheets or [_nothing(refined.pictures[:1])]


def _nothing(pictures: Sequence[np.ndarray]) -> np.ndarray:
    small, _ = reduced(pictures[0])
    whole = (0, 0, small.shape[1] - 1, small.shape[0] - 1)
    return annotate(small, [Mark(whole, "no face was redrawn", GREY, strong=False)])
