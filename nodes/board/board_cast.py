"""From the people of a board to a cast: photos read, faces found where an engine is connected, words encoded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...attention.recipes.cast import Cast, NoIdentity, with_member
from ...face.engine import Face, FaceEngine, NoFaceFound
from ...face.extraction import Extraction
from ...face.identity import FaceChoice, Identity, subject_from_pictures
from ...face.late_faces import with_faces
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
    """The members of `cast` and, behind them, everybody on the board who has a photo, or words that a clip reads.

    engine : finds faces and describes them now; without one, members carry their photos and the choice of face
    clip   : encodes people's own words; without one they have none
    Raises ValueError, naming person and photo, for a file that is gone or unreadable, a photo without a face, a name
    that the cast has already, and an empty part of the schedule.
    """
    if sentence := missing_photos(people):
        raise ValueError(sentence)
    regions = [person.region for person in people]
    for person in people:
        prompt, negative = (_encoded(text, person.name, clip, report) for text in (person.prompt, person.negative))
        if not person.photos and prompt is None and negative is None:
            report.lines.append(f"{person.name}: nobody yet, no photo.")
            continue
        identity = _identity(person, engine, report) if person.photos else NoIdentity(person.name)
        try:
            parts = person.name, person.strength, prompt, None, person.start, person.end, negative
            cast = with_member(cast, identity, regions, *parts)
        except ValueError as error:
            raise ValueError(str(error).replace("Troupe, Cast Member", "Troupe, Cast Board", 1)) from error
    return cast


def _identity(person: Person, engine: FaceEngine | None, report: BoardReport) -> Identity:
    pictures = [_picture(person, photo) for photo in person.photos]
    choice = FaceChoice(
        tuple(photo.face for photo in person.photos), tuple(photo.name for photo in person.photos), person.whole
    )
    identity = replace(subject_from_pictures(person.name, pictures), choice=choice)
    if engine is None:
        count = f"{len(pictures)} photo{'s' * (len(pictures) > 1)}"
        report.lines.append(f"{person.name}: {count}; faces are looked for by the nodes that know the face pack.")
        return identity
    looking, moving = watched(engine, pictures)
    try:
        identity, found = with_faces(identity, looking, moving)
    except NoFaceFound as error:
        raise NoFaceFound(f"Troupe, Cast Board: {error}") from error
    for photo, picture, extraction in zip(person.photos, pictures, found, strict=True):
        report.lines.append(f"{person.name}, {photo.name}: {extraction.report[0]}")
        report.faces.append(_face_entry(person, photo, picture, extraction))
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


def _face_entry(person: Person, photo: Photo, picture: np.ndarray, extraction: Extraction) -> dict[str, Any]:
    number = extraction.chosen[0]
    box = None if number is None else _in_fractions(extraction.faces[0][number], picture)
    return {"person": person.name, "file": photo.file, "box": box, "count": len(extraction.faces[0])}


def _in_fractions(face: Face, picture: np.ndarray) -> list[float]:
    height, width = picture.shape[:2]
    return [round(float(at) / size, 5) for at, size in zip(face.bbox, (width, height, width, height), strict=True)]


def _encoded(text: str, name: str, clip: Any, report: BoardReport) -> Any:
    if not text:
        return None
    if clip is None:
        line = f"{name}: has words of their own, and no clip is connected to read them."
        report.lines += [] if line in report.lines else [line]
        return None
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))
