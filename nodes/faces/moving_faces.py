"""What faces do on photos, and what they are to do, from what the nodes say: sentences, their vectors, landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ...face.engine import Face, FaceEngine, NoFaceFound
from ...face.identity import Identity
from ...face.late_faces import LOOKING, with_faces
from ...face.motion import Motion, motion_of, reconfigured, sentence
from ...face.search import find_faces
from ..host.text_vectors import text_vector
from ..marks import reduced

GREEN = (60, 220, 90)


def motion_on(engine: FaceEngine, photo: np.ndarray) -> tuple[Motion, np.ndarray]:
    """What the largest face on a photo does, and the photo with its landmarks, uint8 [h, w, 3].

    Raises ValueError for a photo without a face, and for a pack without a landmark model.
    """
    faces = find_faces(engine, photo, LOOKING).faces
    if not faces:
        raise NoFaceFound(
            f"Troupe, Face Motion: no face was found on the photo of {photo.shape[1]} x {photo.shape[0]} pixels. "
            "Choose one that shows a face of at least 30 pixels."
        )
    motion = _motion(engine, photo, faces[0].bbox, faces[0].keypoints, "Face Motion")
    return motion, _with_points(photo, motion, faces[0])


def reconfigured_identity(
    identity: Identity,
    engine: FaceEngine,
    clip: Any,
    wanted: tuple[str, str, str],
    source_words: str,
    target: Motion | None,
    strength: float,
) -> Identity:
    """The person, with what their faces are to do.

    wanted : expression and view, empty to keep them, and words that stand for both where there are any
    Raises ValueError for an identity without its photos, or a pack without a landmark model.
    """
    identity, _ = with_faces(identity, engine)
    if not len(identity.photos) or len(identity.boxes) != len(identity.photos):
        raise ValueError(
            f"Troupe, Reconfigure Identity: '{identity.name}' has no photo of a face, and what a face does is read "
            "from it. Take the identity from Extract Identity on a photo, not from a file that was kept without one."
        )
    rows = zip(identity.photos, identity.boxes, identity.keypoints, strict=True)
    sources = [_motion(engine, photo, box, points, "Reconfigure Identity") for photo, box, points in rows]
    expression, view, own_words = wanted
    pairs = []
    for source in sources:
        said = source_words or sentence("neutral", source.view)
        kept_view = view or (source.view if target is None else target.view)
        told = own_words or (sentence(expression or "neutral", kept_view) if expression or view or target else said)
        pairs.append((said, told))
    words = np.stack([np.stack([text_vector(clip, text) for text in pair]) for pair in pairs])
    return replace(identity, motion=reconfigured(sources, target, words, strength, pairs[0][1]))


def _motion(engine: FaceEngine, photo: np.ndarray, box: np.ndarray, keypoints: np.ndarray, node: str) -> Motion:
    try:
        return motion_of(engine.landmark_file, engine.name, photo, box, keypoints)
    except ValueError as error:
        raise ValueError(f"Troupe, {node}: {error}") from error


def _with_points(photo: np.ndarray, motion: Motion, face: Face) -> np.ndarray:
    """The photo, made smaller where it is large, with its landmarks as dots that suit the face's size."""
    small, factor = reduced(photo)
    marked = Image.fromarray(small)
    draw = ImageDraw.Draw(marked)
    radius = max(1.0, float((face.bbox[2:] - face.bbox[:2]).max()) / factor / 90)
    for x, y in motion.landmarks * np.float32(marked.size):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), GREEN)
    return np.asarray(marked)
