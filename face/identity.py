"""One person as the rest of the pack knows them: raw embeddings per recogniser, aligned crops, key points, a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .directions import spherical_mean
from .engine import Face, FaceEngine
from .identity_names import checked_name
from .motion import Reconfiguration


@dataclass(frozen=True)
class FaceChoice:
    """Which face to take from each photo of a person whose faces have not been looked for yet.

    points : for each photo a point (x, y) near the face, in fractions of the photo; None for the largest face on the
             first photo, and on others the one most like it
    called : what the user calls each photo, for messages
    whole  : whether a photo without a face is taken whole
    """

    points: tuple[tuple[float, float] | None, ...]
    called: tuple[str, ...] = field(repr=False)
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Identity:
    """One person, from one or more photos (P of them).

    name       : what the person is called in messages, previews and scores
    embeddings : recogniser (see FaceEngine.recogniser) -> float32 [P, D], raw, one row per photo
    crops      : uint8 [P, 112, 112, 3] RGB, aligned; lets another recogniser describe the same person later
    keypoints  : float32 [P, 5, 2] pixels of each photo
    boxes      : float32 [P, 4] xyxy pixels of each photo
    photos     : P pictures, uint8 [H, W, 3] RGB, for adapters that look at the picture itself; none where they were not
                 kept, as in a file
    weights    : how much each photo counts in a mean, P numbers; none for equal ones
    motion     : what the faces are to do instead of what they do, for adapters with a reconfigurer
    choice     : where faces are still to be found on the photos, as soon as it is known by whom (late_faces.py)

    A subject that is no person has photos alone, and nothing in the other fields.
    As text it is its name alone: hosts print values into logs and error reports, where faces do not belong.
    """

    name: str
    embeddings: Mapping[str, np.ndarray] = field(repr=False)
    crops: np.ndarray = field(repr=False)
    keypoints: np.ndarray = field(repr=False)
    boxes: np.ndarray = field(repr=False)
    photos: tuple[np.ndarray, ...] = field(default=(), repr=False)
    weights: tuple[float, ...] = field(default=(), repr=False)
    choice: FaceChoice | None = field(default=None, repr=False)
    motion: Reconfiguration | None = field(default=None, repr=False)


def identity_from_faces(
    name: str, faces: Sequence[Face], recogniser: str, photos: Sequence[np.ndarray] = ()
) -> Identity:
    """The identity that `faces` show, one face per photo, all described by `recogniser`; ValueError without a face.

    photos : the pictures that the faces were found on, in the same order
    """
    if not faces:
        raise ValueError(f"Identity '{name}' needs at least one face, got none.")
    return Identity(
        name=name,
        embeddings={recogniser: np.stack([face.embedding for face in faces]).astype(np.float32)},
        crops=np.stack([face.crop for face in faces]),
        keypoints=np.stack([face.keypoints for face in faces]).astype(np.float32),
        boxes=np.stack([face.bbox for face in faces]).astype(np.float32),
        photos=tuple(photos),
    )


def subject_from_pictures(name: str, pictures: Sequence[np.ndarray]) -> Identity:
    """Anything that is no person, from pictures uint8 [H, W, 3]; ValueError without a name or a picture."""
    name = checked_name(name, "The subject")
    if not len(pictures):
        raise ValueError(f"No picture was given for '{name}'.")
    nothing = np.zeros((0, 5, 2), np.float32), np.zeros((0, 4), np.float32)
    return Identity(name, {}, np.zeros((0, 112, 112, 3), np.uint8), *nothing, photos=tuple(pictures))


def with_weights(identity: Identity, text: str) -> Identity:
    """The same identity whose photos count as `text` says, numbers with commas between.

    Raises ValueError for anything but one number from 0 up for each photo, or when no photo would count.
    """
    photos = max([len(identity.photos), *(len(rows) for rows in identity.embeddings.values())])
    try:
        weights = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        weights = ()
    if len(weights) != photos or not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
        raise ValueError(
            f"Identity '{identity.name}' has {photos} photo{'s' * (photos > 1)}, and its weights are '{text}'. Type "
            f"{photos} number{'s' * (photos > 1)} from 0 up with commas between, at least one above 0."
        )
    return replace(identity, weights=weights)


def described_by(identity: Identity, engine: FaceEngine) -> Identity:
    """The same identity with embeddings of `engine`'s recogniser, made from the stored crops where they are missing."""
    if engine.recogniser in identity.embeddings:
        return identity
    return replace(identity, embeddings={**identity.embeddings, engine.recogniser: engine.embed(identity.crops)})


def normed_embedding(identity: Identity, recogniser: str) -> np.ndarray:
    """The person's direction, float32 [D] of length 1: the mean of the photos' directions, so that no photo counts
    more because its raw embedding is longer. Where photos have weights, it is the weighted mean on the sphere.

    Raises ValueError when the identity was not described by that recogniser, or when its photos cancel out.
    """
    if recogniser not in identity.embeddings:
        known = ", ".join(sorted(identity.embeddings)) or "none"
        raise ValueError(
            f"Identity '{identity.name}' has no embedding of recogniser {recogniser} (it has: {known}). "
            "Extract it with the engine you use here."
        )
    directions = unit(identity.embeddings[recogniser])
    if identity.weights:
        try:
            return spherical_mean(directions, identity.weights).astype(np.float32)
        except ValueError as error:
            raise ValueError(f"Identity '{identity.name}' cannot be averaged: {error}. Mix other people.") from error
    mean = directions.mean(axis=0)
    if np.linalg.norm(mean) < 1e-3:
        raise ValueError(
            f"The photos of identity '{identity.name}' point in opposite directions. Use photos that show one person."
        )
    return unit(mean)


def unit(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings, [..., D], scaled to length 1. Raises ValueError for one of length 0 or one that is not finite."""
    embeddings = np.asarray(embeddings, dtype=np.float32)
    lengths = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ValueError(
            "A face embedding is empty or not finite, so it has no direction. "
            "The recogniser file may be damaged: download the face pack again."
        )
    return embeddings / lengths
