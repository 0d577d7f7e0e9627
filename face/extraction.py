"""Photos of one person to their identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .alignment import template
from .damage import ends_at
from .engine import ONE_LOOK, Face, FaceEngine, Finding, NoFaceFound, Search
from .identity import Identity, described_by, identity_from_faces
from .recogniser import CROP_SIZE
from .search import SURE, find_faces, tried_words
from .selection import Selection, select_face
from .strangers import stranger_warning

RAISE, SKIP, WHOLE = "error", "skip the photo", "whole picture"
NO_FACE = (RAISE, SKIP, WHOLE)
LOOK = "look at the preview"  # in every line of report that doubts its face
UNSURE = 0.65  # on dark photos most faces below it are none (bench `faces`)


@dataclass(frozen=True, eq=False)
class Extraction:
    """The identity, and for each photo the faces found, which of them was taken (None for none) and a line of report.

    warning : a sentence where one of the photos seems to show someone else, or empty
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
    search: Search = ONE_LOOK,
    no_face: str = RAISE,
) -> Extraction:
    """The identity of the person on `photos`, one face from each.

    photos  : P pictures, uint8 [H, W, 3] RGB
    select  : which face where a photo shows several
    no_face : for a photo without one: RAISE, SKIP it, or take the WHOLE picture for the face
    Raises NoFaceFound, naming the photo, for a photo without a face under RAISE and where SKIP leaves none; ValueError
    without a name or a photo, or when the selection cannot be made (naming the photo).
    """
    if not name.strip():
        raise ValueError("The identity has no name. Type one: it is how the person is called in scores and messages.")
    if not len(photos):
        raise ValueError(f"No photo was given for '{name}'.")
    if no_face not in NO_FACE:
        raise ValueError(f"Unknown rule for photos without a face: '{no_face}'. There are: {', '.join(NO_FACE)}.")
    if select.like is not None:
        select = replace(select, like=described_by(select.like, engine))
    name = name.strip()
    faces, chosen, taken, kept, report = [], [], [], [], []
    for index, photo in enumerate(photos):
        which = f"photo {index + 1} of {len(photos)}" if len(photos) > 1 else "the photo"
        finding = find_faces(engine, photo, search)
        if not finding.faces and no_face == RAISE:
            raise NoFaceFound(f"No face was found in {which} of '{name}' {_advice(engine, photo, finding, search)}")
        number = _selected(finding, select, photo, engine, f"{which} of '{name}'")
        faces.append(finding.faces)
        chosen.append(number)
        report.append(_line(which, photo, finding, number, no_face))
        if number is not None or no_face == WHOLE:
            taken.append(finding.faces[number] if number is not None else whole_picture(engine, photo))
            kept.append(photo)
    if not taken:
        raise NoFaceFound(
            f"No face was found in any of {len(photos)} photos of '{name}', so every one of them was skipped. "
            f"The last: {_advice(engine, photos[-1], finding, search)}"
        )
    identity = identity_from_faces(name, taken, engine.recogniser, kept)
    return Extraction(identity, faces, chosen, tuple(report), stranger_warning(identity, engine.recogniser))


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


def _line(which: str, photo: np.ndarray, finding: Finding, number: int | None, no_face: str) -> str:
    """What happened to one photo."""
    begin = f"{which[0].upper()}{which[1:]} ({photo.shape[1]}x{photo.shape[0]} pixels)"
    if number is None:
        what = "skipped" if no_face == SKIP else "the whole picture was taken"
        return f"{begin}: no face, {what}; tried {', '.join(finding.tried)}."
    many = f"{len(finding.faces)} face{'s' * (len(finding.faces) > 1)}"
    others = [words for words in finding.tried if words != finding.found]
    rest = f" (nobody surer {', '.join(others)})" if others else ""
    face, doubt = finding.faces[number], ""
    if ends_at(photo, face.bbox):
        doubt = f" This is unsure: the picture ends in one colour at the face, as a damaged file does; {LOOK}."
    elif face.score < SURE:
        doubt = f" This is {'unsure' if face.score < UNSURE else 'not quite sure'}: {LOOK}."
    return f"{begin}: {many} {finding.found}{rest}; took face {number + 1}, score {face.score:.2f}.{doubt}"


def _advice(engine: FaceEngine, photo: np.ndarray, finding: Finding, search: Search) -> str:
    return (
        f"({photo.shape[1]}x{photo.shape[0]} pixels). Tried: {tried_words(engine, finding.tried, search.threshold)}. "
        "Use a photo where the face is upright, not hidden, and neither tiny nor cut off by the border; a close-up is "
        "found more easily with some margin around it. Or lower the threshold, or let photos without a face be skipped."
    )
