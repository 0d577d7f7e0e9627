"""Faces of a person whose photos were kept first: each photo with its own choice of face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .detector import SCORE_THRESHOLD
from .engine import FaceEngine, NoFaceFound, Search
from .extraction import Extraction, extract_identity
from .extraction_words import RAISE, WHOLE
from .identity import FaceChoice, Identity
from .selection import NEAREST, SIMILAR, Selection

LOOKING = Search(SCORE_THRESHOLD, True)


def with_faces(
    identity: Identity, engine: FaceEngine, photos: Sequence[np.ndarray] | None = None
) -> tuple[Identity, tuple[Extraction, ...]]:
    """The person described by `engine`, and what was found on each photo; unchanged where nothing was left to be found.

    photos : the identity's own, where going through them shall move a bar
    Raises NoFaceFound, naming photo and person, for a photo without a face, unless it may be taken whole.
    """
    choice = identity.choice
    if choice is None:
        return identity, ()
    found: list[Extraction] = []
    for index, photo in enumerate(identity.photos if photos is None else photos):
        found.append(_extraction(identity.name, choice, index, photo, engine, found))
    return _joined([one.identity for one in found], engine.recogniser), tuple(found)


def _extraction(
    name: str, choice: FaceChoice, index: int, photo: np.ndarray, engine: FaceEngine, before: Sequence[Extraction]
) -> Extraction:
    select = Selection()
    if choice.points[index] is not None:
        select = Selection(NEAREST, place=choice.points[index])
    elif before and before[0].chosen[0] is not None:
        select = Selection(SIMILAR, like=before[0].identity)
    try:
        return extract_identity(engine, [photo], name, select, LOOKING, WHOLE if choice.whole else RAISE)
    except NoFaceFound as error:
        raise NoFaceFound(
            f"no face on '{choice.called[index]}' of '{name}'. Choose another photo, or take the whole picture. {error}"
        ) from error


def _joined(identities: Sequence[Identity], recogniser: str) -> Identity:
    """One person from identities of one photo each."""
    rows = {key: np.concatenate([getattr(one, key) for one in identities]) for key in ("crops", "keypoints", "boxes")}
    embeddings = np.concatenate([one.embeddings[recogniser] for one in identities])
    photos = tuple(photo for one in identities for photo in one.photos)
    return replace(identities[0], embeddings={recogniser: embeddings}, photos=photos, choice=None, **rows)
