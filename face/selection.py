"""Which face of a photo: a stated policy, the same for everything that is made from the photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .engine import Face

Cost = Callable[[Face, "tuple[int, int]"], float]  # the face with the lowest is chosen; picture size as width, height

POLICIES: dict[str, Cost] = {
    "largest": lambda face, size: -float(np.prod(face.bbox[2:] - face.bbox[:2])),
    "most central": lambda face, size: float(np.hypot(*(centre(face) - np.array(size) / 2))),
    "highest score": lambda face, size: -face.score,
    "leftmost": lambda face, size: float(centre(face)[0]),
    "rightmost": lambda face, size: -float(centre(face)[0]),
}


def centre(face: Face) -> np.ndarray:
    """The middle of the face's box, [2] pixels."""
    return (face.bbox[:2] + face.bbox[2:]) / 2


def select_face(faces: Sequence[Face], policy: str, size: tuple[int, int]) -> int:
    """Index of the chosen face; the first of equals.

    size : width and height of the picture
    Raises ValueError without a face or for an unknown policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"Unknown way to select a face: '{policy}'. There are: {', '.join(POLICIES)}.")
    if not faces:
        raise ValueError("There is no face to select from.")
    return min(range(len(faces)), key=lambda index: POLICIES[policy](faces[index], size))
