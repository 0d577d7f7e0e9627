"""Finds the 106 landmarks of a face with the graph that InsightFace packs carry for it (2d106det).

The arithmetic - a square half as wide again as the face's box, 192 pixels, one scale for both axes - follows
InsightFace's reference implementation, so that the same file finds the same points here and there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from .onnx_engine import open_graph
from .onnx_graph import read_outline
from .pack import LANDMARK_POINTS as POINTS
from .pack import LANDMARK_SIDE as SIDE
from .recogniser import normalises_itself

ROOM = 1.5  # times the longer side of the face's box
Run = Callable[[np.ndarray], Sequence[np.ndarray]]


def landmarks_of(file: Path | None, pack: str, photo: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The landmarks of the face in a box, float32 [106, 2], x and y in pixels of the photo.

    file  : of the pack's engine (FaceEngine.landmark_file)
    photo : uint8 [H, W, 3] RGB
    box   : [4] xyxy in pixels of the photo
    Raises ValueError where the pack has no such graph.
    """
    if file is None:
        raise ValueError(
            f"The face pack '{pack}' has no landmark model of {POINTS} points, which says what a face does. "
            "InsightFace's buffalo_l and antelopev2 carry one (2d106det.onnx): unpack the whole archive into the "
            "pack's folder."
        )
    run, normalises = _opened(file, file.stat().st_mtime_ns)
    seen, to_seen = _seen(photo, box)
    pixels = seen.astype(np.float32).transpose(2, 0, 1)[None]
    found = np.asarray(run(pixels if normalises else (pixels - 127.5) / 128)[0], np.float32).reshape(-1, 2)
    if len(found) != POINTS or not np.isfinite(found).all():
        raise ValueError(f"The landmark model {file.name} of face pack '{pack}' gave no {POINTS} points.")
    scale, shift = to_seen[0, 0], to_seen[:, 2]
    return (((found + 1) * (SIDE // 2) - shift) / scale).astype(np.float32)


@lru_cache(maxsize=2)
def _opened(file: Path, _changed: int) -> tuple[Run, bool]:
    """The graph on the CPU, where a face takes milliseconds, and whether it normalises by itself."""
    return open_graph(file, "CPU")[0], normalises_itself(read_outline(file).first_nodes)


def _seen(photo: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square around a face as the graph sees it, uint8 [192, 192, 3], and the matrix [2, 3] to it."""
    import cv2

    x0, y0, x1, y1 = (float(value) for value in box)
    scale = SIDE / (max(x1 - x0, y1 - y0, 1.0) * ROOM)
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    matrix = np.concatenate([np.eye(2) * scale, (SIDE / 2 - middle * scale)[:, None]], 1)
    return cv2.warpAffine(photo, matrix, (SIDE, SIDE), borderValue=0.0), matrix
