"""From the people of a board to a cast: photos read, faces found where an engine is connected, words encoded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...attention.cast import Cast, with_member
from ...face.detector import SCORE_THRESHOLD
from ...face.engine import Face, FaceEngine, NoFaceFound, Search
from ...face.extraction import Extraction, extract_identity
from ...face.extraction_words import RAISE, WHOLE
from ...face.identity import Identity, subject_from_pictures
from ...face.selection import NEAREST, SIMILAR, Selection
from ...face.strangers import stranger_warning
from ..host.faces.board_photos import photo_path, read_photo
from ..host.progress import watched
from .board_value import Person, Photo

log = logging.getLogger(__name__)


@dataclass
class BoardReport:
    """What a board tells: lines to read, and for its own cards the faces that were found.

    faces : one entry per photo on which faces were looked for: person, file, box [x0, y0, x1, y1] in fractions of the
            photo (None where the whole photo was taken), and how many faces there are
    """

    lines: list[str] = field(default_factory=list)
    faces: list[dict[str, Any]] = field(default_factory=list)


def missing_photos(people: Sequence[Person]) -> str:
    """A sentence that names every photo whose file is gone, or empty."""
    gone = [
        f"'{photo.name}' of '{person.name}'"
        for person in people
        for photo in person.photos
        if not photo_path(photo.file)
    ]
    if not gone:
        return ""
    return f"Troupe, Cast Board: {' and '.join(gone)} cannot be found in ComfyUI's folder input. Drop the photo again."


def build_cast(people: Sequence[Person], cast: Cast, engine: FaceEngine | None, clip: Any, report: BoardReport) -> Cast:
    """The members of `cast` and, behind them, everybody on the board who has a photo.

    engine : finds faces and describes them now; without one, members carry their photos alone
    clip   : encodes people's own words; without one they have none
    Raises ValueError, naming person and photo, for a file that is gone or unreadable, a photo without a face, a name
    that the cast has already, and an empty part of the schedule.
    """
    if sentence := missing_photos(people):
        raise ValueError(sentence)
    regions = [person.region for person in people]
    for person in people:
        if not person.photos:
            report.lines.append(f"{person.name}: nobody yet, no photo.")
            continue
        identity = _identity(person, engine, report)
        prompt = _encoded(person, clip, report)
        try:
            cast = with_member(
                cast, identity, regions, person.name, person.strength, prompt, None, person.start, person.end
            )
        except ValueError as error:
            raise ValueError(str(error).replace("Troupe, Cast Member", "Troupe, Cast Board", 1)) from error
    return cast


def _identity(person: Person, engine: FaceEngine | None, report: BoardReport) -> Identity:
    pictures = [_picture(person, photo) for photo in person.photos]
    if engine is None:
        count = f"{len(pictures)} photo{'s' * (len(pictures) > 1)}"
        report.lines.append(f"{person.name}: {count}, faces are not looked for without an engine.")
        return subject_from_pictures(person.name, pictures)
    looking, moving = watched(engine, pictures)
    found: list[Extraction] = []
    for photo, picture in zip(person.photos, moving, strict=True):
        found.append(_extraction(person, photo, picture, looking, found))
        report.lines.append(f"{person.name}, {photo.name}: {found[-1].report[0]}")
        report.faces.append(_face_entry(person, photo, picture, found[-1]))
    identity = _joined([one.identity for one in found], engine.recogniser)
    if warning := stranger_warning(identity, engine.recogniser):
        log.warning("Troupe, Cast Board: %s", warning)
        report.lines.append(warning)
    return identity


def _picture(person: Person, photo: Photo) -> np.ndarray:
    try:
        return read_photo(photo_path(photo.file))
    except ValueError as error:
        raise ValueError(
            f"Troupe, Cast Board: '{photo.name}' of '{person.name}' {error}. Drop another photo."
        ) from error


def _extraction(
    person: Person, photo: Photo, picture: np.ndarray, engine: FaceEngine, before: Sequence[Extraction]
) -> Extraction:
    """The face of one photo: the one that was pointed at, else the one most like the person's first photo."""
    select = Selection()
    if photo.face is not None:
        select = Selection(NEAREST, place=photo.face)
    elif before and before[0].chosen[0] is not None:
        select = Selection(SIMILAR, like=before[0].identity)
    rule = WHOLE if person.whole else RAISE
    try:
        return extract_identity(engine, [picture], person.name, select, Search(SCORE_THRESHOLD, True), rule)
    except NoFaceFound as error:
        raise NoFaceFound(
            f"Troupe, Cast Board: no face on '{photo.name}' of '{person.name}'. Choose another photo, or take the "
            f"whole picture. {error}"
        ) from error


def _face_entry(person: Person, photo: Photo, picture: np.ndarray, extraction: Extraction) -> dict[str, Any]:
    number = extraction.chosen[0]
    box = None if number is None else _in_fractions(extraction.faces[0][number], picture)
    return {"person": person.name, "file": photo.file, "box": box, "count": len(extraction.faces[0])}


def _in_fractions(face: Face, picture: np.ndarray) -> list[float]:
    height, width = picture.shape[:2]
    return [round(float(at) / size, 5) for at, size in zip(face.bbox, (width, height, width, height), strict=True)]


def _joined(identities: Sequence[Identity], recogniser: str) -> Identity:
    """One person from identities of one photo each."""
    rows = {key: np.concatenate([getattr(one, key) for one in identities]) for key in ("crops", "keypoints", "boxes")}
    embeddings = np.concatenate([one.embeddings[recogniser] for one in identities])
    photos = tuple(photo for one in identities for photo in one.photos)
    return replace(identities[0], embeddings={recogniser: embeddings}, photos=photos, **rows)


def _encoded(person: Person, clip: Any, report: BoardReport) -> Any:
    if not person.prompt:
        return None
    if clip is None:
        report.lines.append(f"{person.name}: has words of their own, and no clip is connected to read them.")
        return None
    return clip.encode_from_tokens_scheduled(clip.tokenize(person.prompt))
