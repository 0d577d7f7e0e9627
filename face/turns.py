"""Which way up a found face stands, by the detector's own comparison: face and surroundings shown in six turns.

On a photo that lies on its side a detector finds faces in things beside and across the real one. Its score does not
tell them: published detectors give upright faces 0.6 to 0.9 and such finds up to 0.75, others 0.9 and 0.9. But shown once
more in six turns, small and on one canvas, a real face scores highest where it stands upright, whatever the scale of
the scores (figures in docs/decisions.md).
"""

from __future__ import annotations

import numpy as np

from .alignment import similarity_transform, template
from .engine import FaceEngine
from .passes import turning

TURNS = (0, 45, 315, 90, 270, 180)  # degrees, clockwise: one tile each, in rows of three
COLUMNS, ROWS = 3, 2
CANVAS = (352, 224)  # pixels, for graphs of free size: a fifth of the published packs' 640 x 640
REACH = 2.4  # of the longer side of the face's box: what a tile shows
FAINT = 0.1  # the lowest score that is compared
EQUAL = 0.97  # of the highest score: as good as it
TILTED = 30  # degrees: key points tilted further need another turn
CROP = 112


def turn_of(engine: FaceEngine, image: np.ndarray, box: np.ndarray, keypoints: np.ndarray, degrees: int) -> int | None:
    """By how many degrees, one of TURNS, a picture has to be turned further for this face to stand upright.

    image     : uint8 [H, W, 3]
    box       : [4] xyxy pixels of the picture; key points [5, 2]
    degrees   : by how much the picture was turned, clockwise, when the face was found
    None where the detector does not find the face again. One pass of the detector over a small canvas.
    """
    scores = turn_scores(engine, image, box, degrees)
    best = int(np.argmax(scores))
    if not scores[best]:
        return None
    upright = scores[0] >= EQUAL * scores[best] and abs(tilt(keypoints, degrees)) <= TILTED
    return 0 if upright else TURNS[best or 1 + int(np.argmax(scores[1:]))]


def turn_scores(engine: FaceEngine, image: np.ndarray, box: np.ndarray, degrees: int) -> np.ndarray:
    """The highest score in each of the tiles, float64 [6], 0 where nothing was found in it; see turn_of."""
    size = engine.size if engine.fixed_size else CANVAS
    tile = min(size[0] // COLUMNS, size[1] // ROWS)
    found = engine.locate(contact_sheet(image, box, degrees, size, tile), size, FAINT)
    scores = np.zeros(len(TURNS))
    cells = (found.boxes[:, :2] + found.boxes[:, 2:]) // (2 * tile)
    for (column, row), score in zip(cells, found.scores, strict=True):
        if 0 <= column < COLUMNS and 0 <= row < ROWS and np.isfinite(score):
            place = int(row * COLUMNS + column)
            scores[place] = max(scores[place], score)
    return scores


def contact_sheet(image: np.ndarray, box: np.ndarray, degrees: int, size: tuple[int, int], tile: int) -> np.ndarray:
    """A face with its surroundings in every turn of TURNS beyond `degrees`: uint8 [size[1], size[0], 3]."""
    import cv2

    middle = (box[:2] + box[2:]) / 2
    side = max(1.0, float((box[2:] - box[:2]).max()) * REACH)
    low = np.clip(np.floor(middle - 0.75 * side), 0, np.subtract(image.shape[1::-1], 1)).astype(int)
    high = np.maximum(np.clip(np.ceil(middle + 0.75 * side), 1, image.shape[1::-1]).astype(int), low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, tile / side)
    shrunk = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    small = cv2.resize(part, shrunk, interpolation=cv2.INTER_AREA)
    middle = (middle - low) * shrunk / part.shape[1::-1]
    sheet = np.zeros((size[1], size[0], 3), np.uint8)
    for index, turn in enumerate(TURNS):
        matrix = turning(degrees + turn) * (tile / side / scale)
        shift = tile / 2 - matrix @ middle
        y, x = tile * (index // COLUMNS), tile * (index % COLUMNS)
        sheet[y : y + tile, x : x + tile] = cv2.warpAffine(small, np.column_stack([matrix, shift]), (tile, tile))
    return sheet


def tilt(keypoints: np.ndarray, degrees: int) -> float:
    """By how many degrees, -180 to 180 and clockwise, key points are tilted on a picture turned by `degrees`."""
    matrix = similarity_transform(keypoints, template(CROP))
    upright = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))  # the turn that sets the face upright
    return float((degrees - upright + 180) % 360 - 180)
