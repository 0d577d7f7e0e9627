"""Which way up a found face stands, by the detector's own comparison: face and surroundings shown in six turns.

On a photo that lies on its side a detector finds faces in things beside and across the real one. Its score does not
tell them: published detectors give upright faces 0.6 to 0.9 and such finds up to 0.75, others 0.9 and 0.9. But shown
again in six turns, small and on one canvas, a real face scores highest where it stands upright, whatever the scale of
the scores (figures in docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .alignment import similarity_transform, template
from .engine import FaceEngine
from .passes import turning

TURNS = (0, 45, 315, 90, 270, 180)  # degrees, clockwise
EIGHTHS = TURNS[1:3]
COLUMNS, ROWS = 3, 2  # a tile for each
REACHES = (2.4, 3.0)  # of the longer side of the face's box: what a tile shows. Two err on different photos
CANVAS = (224, 160)  # pixels, for graphs of free size: together a sixth of the published packs' 640 x 640
FAINT = 0.1  # the lowest score that is compared
EQUAL, NEARLY = 0.97, 0.93  # of the score of another quarter turn, and of an eighth: as good as it
TILTED = 30  # degrees: key points tilted further need another turn
CROP = 112


def turn_of(engine: FaceEngine, image: np.ndarray, box: np.ndarray, keypoints: np.ndarray, degrees: int) -> int | None:
    """By how many degrees, one of TURNS, a picture has to be turned further for this face to stand upright.

    image     : uint8 [H, W, 3]
    box       : [4] xyxy pixels of the picture
    keypoints : [5, 2] pixels of the picture
    degrees   : by how much the picture was turned, clockwise, when the face was found
    None where the detector does not find the face again. Two passes over small canvases, one where it says no at once.
    """
    for reach in REACHES:
        scores = turn_scores(engine, image, box, degrees, reach)
        if not scores.any():
            return None
        eighths, quarters = scores[1:3].max(), scores[3:].max()
        if scores[0] < max(NEARLY * eighths, EQUAL * quarters) or abs(tilt(keypoints, degrees)) > TILTED:
            return TURNS[1 + int(np.argmax(scores[1:]))]
    return 0


def turn_scores(engine: FaceEngine, image: np.ndarray, box: np.ndarray, degrees: int, reach: float) -> np.ndarray:
    """The highest score in the tile of each turn, float64 [6], 0 where nothing was found in it; see turn_of."""
    size = engine.size if engine.fixed_size else CANVAS
    tile = min(size[0] // COLUMNS, size[1] // ROWS)
    sheet = np.zeros((size[1], size[0], 3), np.uint8)
    side = max(1.0, float((box[2:] - box[:2]).max()) * reach)
    for place, turned in enumerate(turned_tiles(image, (box[:2] + box[2:]) / 2, side, degrees, tile)):
        y, x = tile * (place // COLUMNS), tile * (place % COLUMNS)
        sheet[y : y + tile, x : x + tile] = turned
    found = engine.locate(sheet, size, FAINT)
    scores = np.zeros(len(TURNS))
    cells = (found.boxes[:, :2] + found.boxes[:, 2:]) // (2 * tile)
    for (column, row), score in zip(cells, found.scores, strict=True):
        if 0 <= column < COLUMNS and 0 <= row < ROWS and np.isfinite(score):
            place = int(row * COLUMNS + column)
            scores[place] = max(scores[place], score)
    return scores


def turned_tiles(image: np.ndarray, middle: np.ndarray, side: float, degrees: int, tile: int) -> Iterator[np.ndarray]:
    """A square of a picture about a point, in every turn of TURNS beyond `degrees`: uint8 [tile, tile, 3] each."""
    import cv2

    low = np.clip(np.floor(middle - 0.75 * side), 0, np.subtract(image.shape[1::-1], 1)).astype(int)
    high = np.maximum(np.clip(np.ceil(middle + 0.75 * side), 1, image.shape[1::-1]).astype(int), low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, tile / side)
    shrunk = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    small = cv2.resize(part, shrunk, interpolation=cv2.INTER_AREA)
    middle = (middle - low) * shrunk / part.shape[1::-1]
    for turn in TURNS:
        matrix = turning(degrees + turn) * (tile / side / scale)
        yield cv2.warpAffine(small, np.column_stack([matrix, tile / 2 - matrix @ middle]), (tile, tile))


def tilt(keypoints: np.ndarray, degrees: int) -> float:
    """By how many degrees, -180 to 180 and clockwise, key points are tilted on a picture turned by `degrees`."""
    matrix = similarity_transform(keypoints, template(CROP))
    upright = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))  # the turn that sets the face upright
    return float((degrees - upright + 180) % 360 - 180)
