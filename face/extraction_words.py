"""What is said of the photos of a person: a line of report for each, and what to do about those that do not serve."""

from __future__ import annotations

import numpy as np

from .engine import FaceEngine, Finding, Search
from .search import LEAST_SURE, tried_words

RAISE, SKIP, WHOLE, TAKE = "error", "skip the photo", "whole picture", "take it"
NO_FACE = (RAISE, SKIP, WHOLE)
DAMAGED = (RAISE, SKIP, TAKE)
LOOK = "look at the preview"  # in every line of report that doubts its face


def line(which: str, photo: np.ndarray, finding: Finding, number: int | None, no_face: str) -> str:
    """What happened to one photo.

    which   : the photo, as in "photo 2 of 3"
    number  : the face that was taken, or None
    no_face : the rule for photos without a face
    """
    begin = _begin(which, photo)
    if number is None:
        what = "skipped" if no_face == SKIP else "the whole picture was taken"
        return f"{begin}: no face, {what}; tried {', '.join(finding.tried)}."
    many = f"{len(finding.faces)} face{'s' * (len(finding.faces) > 1)}"
    others = [words for words in finding.tried if words != finding.found]
    rest = f" (nobody for sure {', '.join(others)})" if others else ""
    score = finding.faces[number].score
    doubt = "" if finding.sure and score >= LEAST_SURE else f" This is unsure: {LOOK}."
    return f"{begin}: {many} {finding.found}{rest}; took face {number + 1}, score {score:.2f}.{doubt}"


def damaged_words(name: str, flaw: str) -> str:
    """The error for photos from a damaged file."""
    return (
        f"The photo of '{name}' comes from a damaged file ({flaw}). What is left of a face resembles somebody else. "
        f"Choose an intact copy of the file, or another photo. To use it as it is, set 'damaged' to '{TAKE}'."
    )


def taken_words(name: str, flaw: str) -> str:
    """The warning for photos from a damaged file that were taken all the same."""
    return f"The photo of '{name}' comes from a damaged file ({flaw}): {LOOK}."


def drawn_words(engine: FaceEngine, name: str) -> str:
    """The warning for photos of a real person that a pack for drawn people looked at."""
    return (
        f"The face pack '{engine.name}' knows the demo's drawn people alone, and what it took of '{name}' looks like a "
        "part of a real photo, face or not. Choose one of InsightFace's packs in Load Face Engine for photos."
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
