"""What a second pass did to each member's face, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REDRAWN, LOST, LARGE, HIDDEN, IDLE = "redrawn", "lost", "large", "hidden", "idle"
NO_FACE, SUBJECT = "no face", "subject"


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
