"""Photos of one person to their identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .alignment import template
from .engine import ONE_PASS, DamagedPhoto, Face, FaceEngine, Finding, NoFaceFound, Search
from .extraction_words import (
    DAMAGED,
    NO_FACE,
    RAISE,
    TAKE,
    WHOLE,
    advice,
    damaged_words,
    drawn_words,
    line,
    taken_words,
)
from .identity import Identity, described_by, identity_from_faces
from .identity_names import checked_name
from .light import is_photo
from .recogniser import CROP_SIZE
from .search import find_faces
from .selection import Selection, select_face
from .strangers import stranger_warning


@dataclass(frozen=True, eq=False)
class Extraction:
    """The identity, and for each photo the faces found, which of them was taken (None for none) and a line of report.

    warning : sentences where a photo seems to show someone else or its file is damaged, or empty
    """

    identity: Identity
    faces: list[list[Face]]
    chosen: list[int | None]
    report: tuple[str, ...] = ()
    warning: str = ""


def extract_identity(
    engine: FaceEngine,
    photos: Sequence[np.ndarray],
    name: str,
    select: Selection = Selection(),  # noqa: B008 (frozen)
    search: Search = ONE_PASS,
    no_face: str = RAISE,
    damaged: str = RAISE,
    flaw: str = "",
) -> Extraction:
    """The identity of the person on `photos`, one face from each.

    photos  : P pictures, uint8 [H, W, 3] RGB
    select  : which face where a photo shows several
    no_face : for a photo without one: RAISE, SKIP it, or take the WHOLE picture for the face
    flaw    : what a strict reader says of the file that all the photos come from, or empty
    damaged : for photos from a file with a flaw: RAISE; SKIP, which leaves none and so is the same; TAKE with a warning
    Raises NoFaceFound or DamagedPhoto, naming the photo, under RAISE and where SKIP leaves none; ValueError without a
    name or a photo, or when the selection cannot be made (naming the photo).
    """
    _check(name, photos, {"without a face": (no_face, NO_FACE), "from a damaged file": (damaged, DAMAGED)})
    if select.like is not None:
        select = replace(select, like=described_by(select.like, engine))
    name = name.strip()
    if flaw and damaged != TAKE:
        raise DamagedPhoto(damaged_words(name, flaw))
    faces, chosen, taken, kept, report = [], [], [], [], []
    for index, photo in enumerate(photos):
        which = f"photo {index + 1} of {len(photos)}" if len(photos) > 1 else "the photo"
        finding = find_faces(engine, photo, search)
        if not finding.faces and no_face == RAISE:
            raise NoFaceFound(f"No face was found in {which} of '{name}' {advice(engine, photo, finding, search)}")
        number = _selected(finding, select, photo, engine, f"{which} of '{name}'")
        faces.append(finding.faces)
        chosen.append(number)
        report.append(line(which, photo, finding, number, no_face))
        if number is not None or (no_face == WHOLE and not finding.faces):
            taken.append(finding.faces[number] if number is not None else whole_picture(engine, photo))
            kept.append(photo)
    if not taken:
        raise NoFaceFound(
            f"No face could be taken from any of {len(photos)} photos of '{name}', so every one of them was skipped. "
            f"{report[-1]} {advice(engine, photos[-1], finding, search)}"
        )
    identity = identity_from_faces(name, taken, engine.recogniser, kept)
    drawn = engine.drawn_only and any(is_photo(face.crop) for face in taken)
    warnings = filter(
        None,
        [
            flaw and taken_words(name, flaw),
            drawn and drawn_words(engine, name),
            stranger_warning(identity, engine.recogniser),
        ],
    )
    return Extraction(identity, faces, chosen, tuple(report), " ".join(warnings))


def whole_picture(engine: FaceEngine, photo: np.ndarray) -> Face:
    """The picture taken for a face: its largest middle square is the crop, the key points are the template's on it."""
    import cv2

    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(photo[top : top + side, left : left + side])
    crop = cv2.resize(square, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA)
    keypoints = (template(CROP_SIZE) * (side / CROP_SIZE) + [left, top]).astype(np.float32)
    box = np.array([0, 0, width, height], np.float32)
    return Face(box, 0.0, keypoints, engine.embed(crop[None])[0], crop)


def _selected(finding: Finding, select: Selection, photo: np.ndarray, engine: FaceEngine, which: str) -> int | None:
    if not finding.faces:
        return None
    try:
        return select_face(finding.faces, select, (photo.shape[1], photo.shape[0]), engine.recogniser)
    except ValueError as error:
        raise ValueError(f"No face could be selected in {which}: {error}") from error


def _check(name: str, photos: Sequence[np.ndarray], rules: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    checked_name(name, "The identity")
    if not len(photos):
        raise ValueError(f"No photo was given for '{name}'.")
    for which, (rule, known) in rules.items():
        if rule not in known:
            raise ValueError(f"Unknown rule for photos {which}: '{rule}'. There are: {', '.join(known)}.")
