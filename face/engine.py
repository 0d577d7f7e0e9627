"""What a face is, and what every engine that finds faces must offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class NoFaceFound(ValueError):
    """A photo in which no face was detected; the message names the photo, its size and what was tried."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one picture.

    bbox      : float32 [4]            x0, y0, x1, y1 in pixels of the picture; may reach beyond its border
    score     : float                  the detector's confidence, 0 to 1
    keypoints : float32 [5, 2]         x, y in pixels: eyes, nose, corners of the mouth; left before right as seen
    embedding : float32 [D]            raw, as the recogniser gave it (D is 512 in every published pack)
    crop      : uint8 [112, 112, 3]    RGB, aligned; what the recogniser saw
    """

    bbox: np.ndarray
    score: float
    keypoints: np.ndarray
    embedding: np.ndarray = field(repr=False)
    crop: np.ndarray = field(repr=False)


class FaceEngine(Protocol):
    """Finds faces and describes them. Engines hold no state that a call changes."""

    name: str  # the pack's name, for messages and previews
    recogniser: str  # first 16 hex characters of the SHA-256 of the recogniser file: embeddings compare only within one
    provider: str  # where it runs, in onnxruntime's words
    detection: str  # how faces are looked for, in words that complete "tried the detector of pack X ..."

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces of a picture, uint8 [H, W, 3] RGB, largest box first; an empty list where there is none."""
        ...

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Raw embeddings, float32 [N, D], of aligned crops, uint8 [N, 112, 112, 3] RGB."""
        ...
