"""What is said of the photos of a person: a line of report for each, and what to do about those that do not serve."""

from __future__ import annotations

import numpy as np

from .engine import FaceEngine, Finding, Search
from .search import SURE, tried_words

RAISE, SKIP, WHOLE, TAKE = "error", "skip the photo", "whole picture", "take it"
NO_FACE = (RAISE, SKIP, WHOLE)
DAMAGED = (RAISE, SKIP, TAKE)
LOOK = "look at the preview"  # in every line of report that doubts its face
UNSURE = 0.65  # on dark photos most faces below it are none (bench `faces`)


def line(which: str, photo: np.ndarray, finding: Finding, number: int | None, no_face: str, damage: str) -> str:
    """What happened to one photo.

    which   : the photo, as in "photo 2 of 3"
    number  : the face that was taken, or None
    no_face : the rule for photos without a face
    damage  : what speaks for a damaged file (see damage_at), or empty
    """
    begin = _begin(which, photo)
    if number is None and finding.faces:
        return f"{begin} {damage}: skipped."
    if number is None:
        what = "skipped" if no_face == SKIP else "the whole picture was taken"
        return f"{begin}: no face, {what}; tried {', '.join(finding.tried)}."
    many = f"{len(finding.faces)} face{'s' * (len(finding.faces) > 1)}"
    others = [words for words in finding.tried if words != finding.found]
    rest = f" (nobody surer {', '.join(others)})" if others else ""
    face, doubt = finding.faces[number], ""
    if damage:
        doubt = f" This is unsure: the photo {damage}; {LOOK}."
    elif face.score < SURE:
        doubt = f" This is {'unsure' if face.score < UNSURE else 'not quite sure'}: {LOOK}."
    return f"{begin}: {many} {finding.found}{rest}; took face {number + 1}, score {face.score:.2f}.{doubt}"


def damaged_words(which: str, photo: np.ndarray, damage: str) -> str:
    """The error for a photo that seems damaged at the face."""
    return (
        f"{_begin(which, photo)} {damage}. What a damaged file leaves of a face resembles somebody else. Choose "
        "another file: an intact copy of it, or another photo. If the picture is meant to look so, set 'damaged' to "
        f"'{TAKE}'."
    )


def advice(engine: FaceEngine, photo: np.ndarray, finding: Finding, search: Search) -> str:
    """The end of an error for a photo without a face: what was tried, and what to do."""
    return (
        f"({photo.shape[1]}x{photo.shape[0]} pixels). Tried: {tried_words(engine, finding.tried, search.threshold)}. "
        "Use a photo where the face is upright, not hidden, and neither tiny nor cut off by the border; a close-up is "
        "found more easily with some margin around it. Or lower the threshold, or let photos without a face be skipped."
    )


def _begin(which: str, photo: np.ndarray) -> str:
    return f"{which[0].upper()}{which[1:]} ({photo.shape[1]}x{photo.shape[0]} pixels)"
