"""A square around a face, for models that look at the picture itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

AROUND = 2.0  # side of the cut-out in lengths of the face box: hair and jaw are in it
ROOM = 0.25  # how far what counts as face reaches beyond the box, in parts of it on each side


def cut_out(picture: np.ndarray, box: Sequence[float] | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A square around a face, and where the face is in it.

    picture : uint8 [H, W, 3]
    box     : x0, y0, x1, y1 in pixels, or None for the middle of the whole picture, all of which counts as face
    returns uint8 [size, size, 3] and bool [size, size]
    """
    import cv2

    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box if box is not None else (0, 0, width, height)
    side = min(max(x1 - x0, y1 - y0) * (AROUND if box is not None else 1.0), height, width)
    left = float(np.clip((x0 + x1 - side) / 2, 0, width - side))
    top = float(np.clip((y0 + y1 - side) / 2, 0, height - side))
    scale = size / side
    move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    inside = picture[round(top) : round(top + side), round(left) : round(left + side)]
    cut = cv2.resize(np.ascontiguousarray(inside), (size, size), interpolation=shrinking)
    if box is None:
        return cut, np.ones((size, size), dtype=bool)
    corners = move @ np.array([[x0, x1], [y0, y1], [1, 1]])
    middle, half = corners.mean(1), (corners[:, 1] - corners[:, 0]) * (0.5 + ROOM)
    y, x = np.mgrid[:size, :size] + 0.5
    face = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 < 1
    return cut, face
