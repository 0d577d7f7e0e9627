"""How well people stand in their regions: intersection over union of boxes, as layout-to-image papers measure it."""

from __future__ import annotations

import numpy as np

from .match import match_faces


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of every box with every other, float64 [N, M]; xyxy [N, 4] and [M, 4].

    A box without area overlaps nothing.
    """
    boxes, others = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(others, np.float64).reshape(-1, 4)
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(np.clip(some[:, 2:] - some[:, :2], 0, None), axis=-1) for some in (boxes, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0.0)


def layout_iou(people: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """The overlap of each region with the person who stands there, [R]; 0 for a region that nobody is left for.

    people  : [N, 4] xyxy, boxes of people found in the picture by something that does not know the regions
    regions : [R, 4] xyxy, in the same units
    Each person counts for one region, such that the sum is the largest there is (Hungarian method). Their mean is the
    mIoU of layout-to-image work (AnyMS, arXiv 2512.23537, reports one; its detector is not known to us).
    """
    overlap = box_iou(people, regions)
    stands = match_faces(overlap)
    return np.array([overlap[person, region] if person >= 0 else 0.0 for region, person in enumerate(stands)])


def outer_boxes(regions: np.ndarray) -> np.ndarray:
    """The boxes around regions, bool [R, H, W]: float64 [R, 4] xyxy pixels; four zeros around nothing."""
    boxes = np.zeros((len(regions), 4))
    for box, region in zip(boxes, regions, strict=True):
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        if len(rows):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes
