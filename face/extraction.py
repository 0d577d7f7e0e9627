"""Photos of one person to their identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .engine import Face, FaceEngine, NoFaceFound
from .identity import Identity, identity_from_faces
from .selection import select_face


@dataclass(frozen=True, eq=False)
class Extraction:
    """The identity, all faces found in each photo, and which of them was taken."""

    identity: Identity
    faces: list[list[Face]]
    chosen: list[int]


def extract_identity(engine: FaceEngine, photos: Sequence[np.ndarray], name: str, select: str) -> Extraction:
    """The identity of the person on `photos`, one face from each, chosen by the policy `select` (see selection.py).

    photos : P pictures, uint8 [H, W, 3] RGB
    Raises NoFaceFound, naming the photo, when one of them shows no face; ValueError without a name or a photo.
    """
    if not name.strip():
        raise ValueError("The identity has no name. Type one: it is how the person is called in scores and messages.")
    if not len(photos):
        raise ValueError(f"No photo was given for '{name}'.")
    faces = [detect_or_raise(engine, photo, index, len(photos), name) for index, photo in enumerate(photos)]
    sizes = [(photo.shape[1], photo.shape[0]) for photo in photos]
    chosen = [select_face(found, select, size) for found, size in zip(faces, sizes, strict=True)]
    taken = [found[index] for found, index in zip(faces, chosen, strict=True)]
    return Extraction(identity_from_faces(name.strip(), taken, engine.recogniser, photos), faces, chosen)


def detect_or_raise(engine: FaceEngine, photo: np.ndarray, index: int, count: int, name: str) -> list[Face]:
    """Faces of one photo, at least one, or NoFaceFound."""
    found = engine.detect(photo)
    if found:
        return found
    which = f"photo {index + 1} of {count}" if count > 1 else "the photo"
    raise NoFaceFound(
        f"No face was found in {which} of '{name}' ({photo.shape[1]}x{photo.shape[0]} pixels). Tried: the detector of "
        f"face pack '{engine.name}' {engine.detection}. Use a photo where the face is upright, not hidden, and neither "
        "tiny nor cut off by the border; a close-up is found more easily with some margin around it."
    )
