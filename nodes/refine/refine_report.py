"""What a second pass did to each member's face: in words, and before and after side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...measure.annotate import GREY, Mark, annotate
from ...measure.grid import Cell, draw_grid
from ..marks import reduced

REDRAWN, LOST, LARGE, HIDDEN, IDLE = "redrawn", "lost", "large", "hidden", "idle"
NO_FACE, SUBJECT = "no face", "subject"
SIDE = 256  # pixels along a side of each close-up: a batch of many faces stays small


@dataclass(frozen=True)
class Outcome:
    """What became of one member in one picture.

    name   : the member's
    state  : REDRAWN; LOST: redrawn, and no face was there any more, so the old one stays; LARGE: the face is large
             enough; HIDDEN: its square belongs to members in front; IDLE: the member's strength is 0;
             NO_FACE: none in the region; SUBJECT: the member is no person
    side   : of the square around the face, in pixels; 0 without a face
    before : cosine of the face with the member's references, None without a face
    after  : the same when all are redrawn, None where this one is not
    """

    name: str
    state: str
    side: int = 0
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A face that was redrawn: on which picture, whose, and its close-up before and after, uint8 [size, size, 3]."""

    picture: int
    name: str
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True, eq=False)
class Refined:
    """Pictures after the second pass.

    pictures : uint8 [H, W, 3] each
    changed  : bool [H, W] each; all other pixels are as they were, bit by bit
    faces    : what was redrawn, picture by picture and in the order of the cast
    outcomes : for each picture what became of each member of the cast
    report   : the same in words
    """

    pictures: list[np.ndarray]
    changed: list[np.ndarray]
    faces: list[Redrawn]
    outcomes: list[list[Outcome]]
    report: str


def report_of(outcomes: Sequence[Sequence[Outcome]], size: int) -> str:
    """A line for each member of each picture; `size` is that of the close-ups, in pixels."""
    lines = []
    for number, members in enumerate(outcomes):
        if len(outcomes) > 1:
            lines.append(f"Picture {number + 1} of {len(outcomes)}:")
        lines += [f"{outcome.name}: {_words(outcome, size)}" for outcome in members]
    return "\n".join(lines)


def _words(outcome: Outcome, size: int) -> str:
    if outcome.state == SUBJECT:
        return "left alone, a subject without a face"
    if outcome.state == NO_FACE:
        return "left alone, no face was found in the region"
    if outcome.state == REDRAWN:
        after = "" if outcome.after is None else f", {outcome.after:.2f} after"
        return f"redrawn from {outcome.side} to {size} pixels, likeness {outcome.before:.2f} before{after}"
    why = {
        LOST: "no face was found on what was drawn in its place",
        LARGE: f"the square around the face has {outcome.side} pixels a side, and a close-up {size}",
        HIDDEN: "the face lies in the close-up of somebody in front",
        IDLE: "the strength is 0",
    }
    return f"left as it is, likeness {outcome.before:.2f}: {why[outcome.state]}"


def before_and_after(refined: Refined) -> list[np.ndarray]:
    """A picture for each redrawn face, all of one size; the first of the pictures, marked, where there is none."""
    several = len(refined.pictures) > 1
    sheets = [
        draw_grid(
            [[Cell(face.before, "before"), Cell(face.after, "after")]],
            SIDE,
            f"{face.name}{f', picture {face.picture + 1}' * several}",
        )
        for face in refined.faces
    ]
    return sheets or [_nothing(refined.pictures[:1])]


def _nothing(pictures: Sequence[np.ndarray]) -> np.ndarray:
    small, _ = reduced(pictures[0])
    whole = (0, 0, small.shape[1] - 1, small.shape[0] - 1)
    return annotate(small, [Mark(whole, "no face was redrawn", GREY, strong=False)])
