"""Photos that end at a face: what was loaded of a file that is cut off, filled up with one colour."""

from __future__ import annotations

import numpy as np

CLOSE = 0.15  # of a face's height, between its lower end and where the one colour begins


def ends_at(photo: np.ndarray, box: np.ndarray) -> bool:
    """Whether a photo is one colour from border to border and down to its end, from within a face or right below it.

    photo : uint8 [H, W, 3]
    box   : x0, y0, x1, y1 in pixels. A detector puts it around what is left of the face
    """
    flat = (photo == photo[-1:, :1]).all((1, 2))[::-1]
    rows = len(flat) if flat.all() else int(flat.argmin())
    return rows > 1 and bool(len(photo) - rows < box[3] + CLOSE * (box[3] - box[1]))
