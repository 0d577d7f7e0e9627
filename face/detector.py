"""Finds face boxes and key points with a detector in SCRFD format (arXiv 2105.04714), as InsightFace packs carry them.

The arithmetic - letterbox, normalisation, one scale for both axes, inclusive pixels in the overlap - follows
InsightFace's reference implementation, so that the same file finds the same faces here and there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

STRIDES = {3: (8, 16, 32), 5: (8, 16, 32, 64, 128)}  # by the number of feature maps
DYNAMIC_SIZE = (640, 640)  # width, height for graphs that take any size: what the published detectors were tuned on
SCORE_THRESHOLD = 0.5
OVERLAP_THRESHOLD = 0.4


@dataclass(frozen=True, eq=False)
class Detections:
    """F faces: boxes float32 [F, 4] xyxy, scores float32 [F], key points float32 [F, 5, 2] or None if it gives none."""

    boxes: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray | None


def detect_faces(
    image: np.ndarray,
    run: Callable[[np.ndarray], Sequence[np.ndarray]],
    size: tuple[int, int],
    threshold: float = SCORE_THRESHOLD,
) -> Detections:
    """Faces of a picture, highest score first, in pixels of the picture.

    image     : uint8 [H, W, 3] RGB
    run       : the graph, float32 [1, 3, size[1], size[0]] -> its outputs, in any order
    size      : width and height the graph takes
    threshold : the lowest score that counts as a face
    Raises ValueError when the outputs are not those of a SCRFD-format detector.
    """
    canvas, scale = letterbox(image, size)
    found = _scaled(decode(run(network_input(canvas)), size, threshold), 1 / scale)
    return without_overlaps(found)


def without_overlaps(found: Detections) -> Detections:
    """Faces highest score first, each thing found once: of boxes that overlap, the one with the highest score."""
    found = rows_of(found, np.argsort(-found.scores, kind="stable"))
    return rows_of(found, non_maximum_suppression(found.boxes, OVERLAP_THRESHOLD))


def letterbox(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """The picture resized to fit into `size` (width, height), top left on black; and the scale it was resized by."""
    import cv2

    height, width = image.shape[:2]
    if height / width > size[1] / size[0]:
        new_height, new_width = size[1], max(1, int(size[1] * width / height))
    else:
        new_height, new_width = max(1, int(size[0] * height / width)), size[0]
    canvas = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    canvas[:new_height, :new_width] = cv2.resize(image, (new_width, new_height))
    return canvas, new_height / height


def network_input(canvas: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] RGB -> float32 [1, 3, H, W] in -1 .. 1; the graphs take red first."""
    return (canvas.astype(np.float32).transpose(2, 0, 1)[None] - 127.5) / 128


def decode(outputs: Sequence[np.ndarray], size: tuple[int, int], threshold: float = SCORE_THRESHOLD) -> Detections:
    """Boxes, scores and key points above the threshold, in pixels of the network's input, unordered.

    outputs : per feature map, any order, with or without a batch axis of 1: scores [n, 1], box distances [n, 4] and
              possibly key points [n, 10], n = rows * columns * anchors, distances in units of the map's stride
    """
    scores, distances, offsets = (_by_stride(outputs, columns) for columns in (1, 4, 10))
    if len(scores) not in STRIDES or len(distances) != len(scores) or len(offsets) not in (0, len(scores)):
        raise ValueError(
            f"The detector gave outputs of shapes {[np.shape(output) for output in outputs]}; a SCRFD-format detector "
            "gives 3 or 5 each of [n, 1], [n, 4] and possibly [n, 10]. Use a detector of an InsightFace pack."
        )
    boxes, points, kept = [], [], []
    for level, stride in enumerate(STRIDES[len(scores)]):
        keep = scores[level][:, 0] >= threshold
        centres = anchor_centres(size, stride, len(scores[level]))[keep]
        left_top, right_bottom = distances[level][keep, :2] * stride, distances[level][keep, 2:] * stride
        boxes.append(np.concatenate([centres - left_top, centres + right_bottom], axis=1))
        kept.append(scores[level][keep, 0])
        if offsets:
            points.append(centres[:, None] + offsets[level][keep].reshape(-1, 5, 2) * stride)
    return Detections(np.concatenate(boxes), np.concatenate(kept), np.concatenate(points) if points else None)


def anchor_centres(size: tuple[int, int], stride: int, count: int) -> np.ndarray:
    """Pixel positions, float32 [count, 2], of a feature map's anchors: row by row, a cell's anchors side by side."""
    columns, rows = size[0] // stride, size[1] // stride
    anchors = count // max(1, columns * rows)
    if anchors == 0 or count != anchors * columns * rows:
        raise ValueError(
            f"The detector gave {count} anchors at stride {stride} for an input of {size[0]}x{size[1]} pixels; a whole "
            f"multiple of {columns * rows} was expected. Its input size must be a multiple of its largest stride."
        )
    y, x = np.mgrid[:rows, :columns]
    return np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2) * stride, anchors, axis=0).astype(np.float32)


def non_maximum_suppression(boxes: np.ndarray, threshold: float) -> list[int]:
    """Indices of boxes, [F, 4] best first, that overlap no better kept one by more than `threshold` (IoU)."""
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    left, kept = np.arange(len(boxes)), []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(int(best))
        width = np.minimum(boxes[best, 2], boxes[left, 2]) - np.maximum(boxes[best, 0], boxes[left, 0]) + 1
        height = np.minimum(boxes[best, 3], boxes[left, 3]) - np.maximum(boxes[best, 1], boxes[left, 1]) + 1
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        left = left[shared / (areas[best] + areas[left] - shared) <= threshold]
    return kept


def _by_stride(outputs: Sequence[np.ndarray], columns: int) -> list[np.ndarray]:
    """The outputs with that many columns, [n, columns], finest feature map (the most rows) first."""
    matching = [np.reshape(output, (-1, columns)) for output in outputs if np.shape(output)[-1:] == (columns,)]
    return sorted(matching, key=len, reverse=True)


def _scaled(found: Detections, factor: float) -> Detections:
    keypoints = None if found.keypoints is None else (found.keypoints * factor).astype(np.float32)
    return Detections((found.boxes * factor).astype(np.float32), found.scores.astype(np.float32), keypoints)


def rows_of(found: Detections, index: Sequence[int] | np.ndarray) -> Detections:
    """Some of the faces: by their numbers, in that order, or by a bool for each."""
    keypoints = None if found.keypoints is None else found.keypoints[index]
    return Detections(found.boxes[index], found.scores[index], keypoints)
