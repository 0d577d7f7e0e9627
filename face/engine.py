"""What a face is, and what every engine that finds faces must offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from .detector import SCORE_THRESHOLD, Detections


class NoFaceFound(ValueError):
    """A photo in which no face was detected; the message names the photo, its size and what was tried."""


class DamagedPhoto(ValueError):
    """A photo from a file that a strict reader refuses; the message names the photo, the file and what to do."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one picture.

    bbox      : float32 [4]            x0, y0, x1, y1 in pixels of the picture; may reach beyond its border
    score     : float                  the detector's confidence, 0 to 1
    keypoints : float32 [5, 2]         x, y in pixels: eyes, nose, corners of the mouth; left before right on the
                                       face when it is upright
    embedding : float32 [D]            raw, as the recogniser gave it (D is 512 in every published pack)
    crop      : uint8 [112, 112, 3]    RGB, aligned; what the recogniser saw
    """

    bbox: np.ndarray
    score: float
    keypoints: np.ndarray
    embedding: np.ndarray = field(repr=False)
    crop: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Search:
    """How faces are looked for.

    threshold : the lowest score of the detector that counts as a face, 0 to 1
    fallback  : where one detection pass is not sure of a face, search at other sizes, with a margin and turned
    """

    threshold: float = SCORE_THRESHOLD
    fallback: bool = True


ONE_PASS = Search(fallback=False)


@dataclass(frozen=True, eq=False)
class Finding:
    """The faces of a picture, largest box first.

    tried : every detection pass that was taken, in words
    found : the one that found them, or empty
    sure  : whether the detector prefers them upright (see search.py); true where no search was asked for
    """

    faces: list[Face]
    tried: tuple[str, ...]
    found: str = ""
    sure: bool = True


class FindingCache(Protocol):
    """Keeps findings by the content of the picture (see cache.py)."""

    def get(self, engine: FaceEngine, image: np.ndarray, search: Search, find: Callable[[], Finding]) -> Finding:
        """What is kept for this picture, or what `find` gives, kept from now on."""
        ...


class FaceEngine(Protocol):
    """Finds faces and describes them. Engines hold no state that a call changes, but for the cache."""

    name: str  # the pack's name, for messages and previews
    recogniser: str  # first 16 hex characters of the SHA-256 of the recogniser file: embeddings compare only within one
    fingerprint: str  # all that a finding depends on besides picture and search: library, both files, provider
    provider: str  # where it runs, in onnxruntime's words
    size: tuple[int, int]  # width, height of the detector's input in the first pass
    fixed_size: bool  # whether the detector takes no other size
    drawn_only: bool  # whether it knows drawn people alone, as the demo's packs do
    cache: FindingCache | None
    landmark_file: Path | None  # the pack's landmark model, see landmarks.py

    def locate(self, image: np.ndarray, size: tuple[int, int], threshold: float) -> Detections:
        """Faces of a picture, uint8 [H, W, 3] RGB, seen at `size`, in pixels of the picture; key points included."""
        ...

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces that one pass finds, uint8 [H, W, 3] RGB, largest box first; an empty list where there is none."""
        ...

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Raw embeddings, float32 [N, D], of aligned crops, uint8 [N, 112, 112, 3] RGB."""
        ...
