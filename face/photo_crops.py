"""The part of an identity's photos that an adapter's image encoder sees."""

from __future__ import annotations

import numpy as np

from .alignment import TEMPLATE_112, aligned_crop
from .grey_portrait import grey_portrait
from .identity import Identity

HEAD = 1.5  # times the longer side of the face's box: face and hair, as on the published adapters' example pictures


def crops_of(identity: Identity, crop: str, side: int, adapter: str) -> list[np.ndarray]:
    """One picture for each photo of an identity, uint8 [h, w, 3].

    crop    : "whole" picture; "aligned": the upright face, filling [side, side]; "square": the longer side of the
              face's box, not turned; "head": the same with some margin; "portrait": face.grey_portrait
    adapter : its name, for messages
    Where an identity was kept without its photos, its 112-pixel crop stands in for a face.
    Raises ValueError for a face that is not there, or a whole picture that was not kept.
    """
    photos = getattr(identity, "photos", ())
    crops = getattr(identity, "crops", ())
    if crop == "whole":
        if photos:
            return list(photos)
        raise ValueError(
            f"Troupe: the adapter '{adapter}' reads whole pictures, and identity '{identity.name}' was kept without "
            "its photos. Extract it from a photo, or set 'crop' in Load Identity Adapter to face."
        )
    if not len(crops):
        raise ValueError(
            f"Troupe: the adapter '{adapter}' reads the face on a photo, and '{identity.name}' has none. Use Extract "
            "Identity on a photo of a person, or set 'crop' in Load Identity Adapter to whole picture."
        )
    if crop == "portrait":
        if not photos:
            return [grey_portrait(face, TEMPLATE_112) for face in crops]
        return [grey_portrait(photo, points) for photo, points in zip(photos, identity.keypoints, strict=True)]
    if not photos:
        return [_resized(face, side) if crop == "aligned" else face for face in crops]
    if crop == "aligned":
        return [aligned_crop(photo, points, side) for photo, points in zip(photos, identity.keypoints, strict=True)]
    margin = HEAD if crop == "head" else 1.0
    return [square_crop(photo, box, margin) for photo, box in zip(photos, identity.boxes, strict=True)]


def square_crop(photo: np.ndarray, box: np.ndarray, margin: float) -> np.ndarray:
    """The square around the centre of a box [4] (xyxy, pixels), `margin` times its longer side; black beyond it."""
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(1, round(max(x1 - x0, y1 - y0) * margin))
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    out = np.zeros((side, side, 3), np.uint8)
    height, width = photo.shape[:2]
    across = slice(max(left, 0), min(left + side, width))
    down = slice(max(top, 0), min(top + side, height))
    if across.start < across.stop and down.start < down.stop:
        out[down.start - top : down.stop - top, across.start - left : across.stop - left] = photo[down, across]
    return out


def _resized(face: np.ndarray, side: int) -> np.ndarray:
    import cv2

    return cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
