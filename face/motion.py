"""What faces do on photos, and what they are to do instead: the numbers that a reconfigurer reads.

(arXiv 2503.06505, section 3.3) A motion is the landmarks of a face and a sentence about its expression and view, by
which the words' vector is made. No photo is kept in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .alignment import TEMPLATE_112
from .landmarks import POINTS, landmarks_of

EXPRESSIONS = ("neutral", "happy", "surprise", "sad", "anger", "disgust", "fear")
VIEWS = ("front", "side", "up", "down")
TURNED = 10.0  # degrees: the released code's border between front and side
# How far nose and corners of the mouth stand out of the plane of the eyes, in distances between the eyes; a face whose
# key points are the alignment template looks straight ahead.
OUT = np.array([0.0, 0.0, 0.45, 0.1, 0.1])


@dataclass(frozen=True, eq=False)
class Motion:
    """What one face does.

    landmarks : float32 [106, 2], x and y in fractions of the photo
    view      : from VIEWS
    """

    landmarks: np.ndarray = field(repr=False)
    view: str = "front"


@dataclass(frozen=True, eq=False)
class Reconfiguration:
    """What the faces on P photos do, and what they are to do.

    landmarks : float32 [P, 2, 106, 2], x and y in fractions of the photo: of the photo, then wanted
    words     : float32 [P, 2, V], the vectors of the two sentences
    strength  : float32 [P], 0 leaves a face as it is
    said      : the sentence that is wanted, for reports
    """

    landmarks: np.ndarray = field(repr=False)
    words: np.ndarray = field(repr=False)
    strength: np.ndarray
    said: str = ""

    def __post_init__(self) -> None:
        photos = len(self.strength)
        fits = self.landmarks.shape == (photos, 2, POINTS, 2) and self.words.shape[:2] == (photos, 2)
        if not photos or not fits or self.words.ndim != 3 or not self.words.size:
            raise ValueError(
                f"a reconfiguration has landmarks [P, 2, {POINTS}, 2] and words [P, 2, V] for P strengths, got "
                f"{list(self.landmarks.shape)} and {list(self.words.shape)} for {photos}"
            )


def sentence(expression: str, view: str) -> str:
    """The words that DynamicID was trained with for an expression and a view."""
    level = f"facing {view}, " if view in ("up", "down") else ""
    return f"in a {expression} expression, {level}in {'side' if view == 'side' else 'front'} view"


def motion_of(file: Path | None, pack: str, photo: np.ndarray, box: np.ndarray, keypoints: np.ndarray) -> Motion:
    """What the face in a box does; arguments and errors as in landmarks.landmarks_of, key points [5, 2]."""
    height, width = photo.shape[:2]
    return Motion(landmarks_of(file, pack, photo, box) / np.float32([width, height]), view_of(keypoints))


def reconfigured(
    sources: Sequence[Motion], target: Motion | None, words: np.ndarray, strength: float, said: str
) -> Reconfiguration:
    """What P faces are to do instead of what they do.

    target : the motion of another photo, whose landmarks are taken; None to keep each photo's own
    words  : float32 [P, 2, V], the vectors of the sentences of each photo and of what is wanted
    """
    own = np.stack([source.landmarks for source in sources])
    wanted = own if target is None else np.broadcast_to(target.landmarks, own.shape)
    amounts = np.full(len(own), strength, np.float32)
    return Reconfiguration(np.stack([own, wanted], 1).astype(np.float32), words.astype(np.float32), amounts, said)


def view_of(keypoints: np.ndarray) -> str:
    """Whether a face with these key points [5, 2] is seen from the front or the side.

    Up and down are not told from five points: a smile lifts the mouth's corners as looking down does.
    """
    return "side" if abs(yaw(keypoints)) >= TURNED else "front"


def yaw(keypoints: np.ndarray) -> float:
    """By how many degrees a face is turned aside, from its five key points [5, 2]; 0 straight ahead.

    The camera without perspective under which an average face comes closest to the points (least squares).
    """
    eyes = np.linalg.norm(TEMPLATE_112[1] - TEMPLATE_112[0])
    face = np.concatenate([TEMPLATE_112 / eyes, -OUT[:, None]], 1)  # x right, y down, z away from the camera
    face, points = face - face.mean(0), keypoints - keypoints.mean(0)
    across, down = np.linalg.lstsq(face, points.astype(np.float64), rcond=None)[0].T  # rows of scale * rotation
    forward = np.cross(across / np.linalg.norm(across), down / np.linalg.norm(down))
    return float(np.degrees(np.arctan2(forward[0], forward[2])))


def joined(parts: Sequence[Reconfiguration | None], photos: Sequence[int]) -> Reconfiguration | None:
    """One reconfiguration for the photos of several people, in order; of strength 0 for those who have none.

    photos : how many photos each of them has
    Raises ValueError where the words of two were made by unlike text encoders.
    """
    found = [part for part in parts if part is not None]
    if not found:
        return None
    widths = sorted({part.words.shape[-1] for part in found})
    if len(widths) > 1:
        raise ValueError(
            f"the words of their reconfigured faces have {' and '.join(map(str, widths))} numbers: connect one CLIP to "
            "every Reconfigure Identity"
        )

    def still(count: int) -> Reconfiguration:
        landmarks = np.zeros((count, 2, POINTS, 2), np.float32)
        return Reconfiguration(landmarks, np.zeros((count, 2, widths[0]), np.float32), np.zeros(count, np.float32))

    whole = [still(count) if part is None else part for part, count in zip(parts, photos, strict=True)]
    arrays = (np.concatenate([getattr(part, name) for part in whole]) for name in ("landmarks", "words", "strength"))
    return Reconfiguration(*arrays, said=found[0].said)
