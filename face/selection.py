"""Which face of a photo: a stated policy, the same for everything that is made from the photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .engine import Face
from .identity import Identity, normed_embedding, unit

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Selection:
    """A policy with what it needs.

    policy : one of POLICIES
    index  : for 'left to right': 1 is the leftmost face, -1 the rightmost
    place  : for 'nearest to a place': a point (x, y) or a box (x0, y0, x1, y1), in fractions of the picture
    like   : for 'most similar': the person who is looked for, described by the engine's recogniser
    """

    policy: str = "largest"
    index: int = 1
    place: tuple[float, ...] | None = None
    like: Identity | None = None


def largest(face: Face, size: Size) -> float:
    return -float(np.prod(face.bbox[2:] - face.bbox[:2]))


def most_central(face: Face, size: Size) -> float:
    return float(np.hypot(*(centre(face) - np.array(size) / 2)))


COSTS: dict[str, Callable[[Face, Size], float]] = {  # the face with the lowest is chosen
    "largest": largest,
    "most central": most_central,
    "highest score": lambda face, size: -face.score,
    "leftmost": lambda face, size: float(centre(face)[0]),
    "rightmost": lambda face, size: -float(centre(face)[0]),
}
LEFT_TO_RIGHT, NEAREST, SIMILAR = "left to right", "nearest to a place", "most similar"
POLICIES = (*COSTS, LEFT_TO_RIGHT, NEAREST, SIMILAR)


def centre(face: Face) -> np.ndarray:
    """The middle of the face's box, [2] pixels."""
    return (face.bbox[:2] + face.bbox[2:]) / 2


def select_face(faces: Sequence[Face], select: Selection, size: Size, recogniser: str = "") -> int:
    """Index of the chosen face; the first of equals.

    size       : width and height of the picture
    recogniser : what described the faces (see FaceEngine.recogniser); needed for 'most similar'
    Raises ValueError without a face, for an unknown policy, for a policy without what it needs, and for an index
    beyond the number of faces.
    """
    if select.policy not in POLICIES:
        raise ValueError(f"Unknown way to select a face: '{select.policy}'. There are: {', '.join(POLICIES)}.")
    if not faces:
        raise ValueError("There is no face to select from.")
    if select.policy == LEFT_TO_RIGHT:
        return _from_the_left(faces, select.index)
    if select.policy == NEAREST:
        costs = [_distance(face, _pixels(select.place, size)) for face in faces]
    elif select.policy == SIMILAR:
        costs = [-likeness for likeness in _likenesses(faces, select.like, recogniser)]
    else:
        costs = [COSTS[select.policy](face, size) for face in faces]
    return min(range(len(faces)), key=costs.__getitem__)


def left_to_right(faces: Sequence[Face]) -> list[int]:
    """Indices of the faces by the middle of their boxes, from the left."""
    return sorted(range(len(faces)), key=lambda index: float(centre(faces[index])[0]))


def _from_the_left(faces: Sequence[Face], index: int) -> int:
    if not 1 <= abs(index) <= len(faces):
        seen = "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise ValueError(
            f"Face {index} from the left was asked for, and {seen} found. Use an index from 1 to {len(faces)} "
            "(-1 is the rightmost), or lower the threshold if a face was missed."
        )
    return left_to_right(faces)[index - 1 if index > 0 else index]


def _pixels(place: tuple[float, ...] | None, size: Size) -> np.ndarray:
    """A place as a box, float64 [4] xyxy pixels; a point is a box without an area."""
    if place is None or len(place) not in (2, 4) or not np.all(np.isfinite(place)):
        raise ValueError(
            f"'{NEAREST}' needs a point (x, y) or a box (x0, y0, x1, y1) in fractions of the picture, got {place}."
        )
    return np.tile(np.asarray(place, np.float64).reshape(-1, 2) * size, (2, 1))[[0, -1]].ravel()


def _distance(face: Face, box: np.ndarray) -> tuple[float, float]:
    """From the face's middle to the box, 0 inside; then, among those inside, to the box's middle."""
    middle = centre(face)
    beyond = np.maximum(np.maximum(box[:2] - middle, middle - box[2:]), 0)
    return float(np.hypot(*beyond)), float(np.hypot(*(middle - (box[:2] + box[2:]) / 2)))


def _likenesses(faces: Sequence[Face], like: Identity | None, recogniser: str) -> np.ndarray:
    if like is None:
        raise ValueError(f"'{SIMILAR}' needs an identity to compare with. Connect one to the input 'like'.")
    return unit(np.stack([face.embedding for face in faces])) @ normed_embedding(like, recogniser)
