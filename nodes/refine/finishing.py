"""Drawn close-ups put back into their picture, and what became of each member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .close_ups import paste
from .member_faces import Lookout, MemberFace
from .planning import CloseUp, Plan
from .refine_report import LOST, REDRAWN, Outcome

Drawn = tuple[CloseUp, np.ndarray]
"""What was to be redrawn, and what was drawn, uint8 [size, size, 3]."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A picture, uint8 [H, W, 3]; which pixels changed, bool [H, W]; what was pasted; an outcome for each member."""

    picture: np.ndarray
    changed: np.ndarray
    kept: list[Drawn]
    outcomes: list[Outcome]


def finished(picture: np.ndarray, plan: Plan, drawn: Sequence[Drawn], lookout: Lookout) -> Finished:
    """A picture with what was drawn; a close-up that leaves its member without a face is not pasted."""
    new, changed = _pasted(picture, drawn)
    after = lookout.faces(new, lookout.regions(new)) if drawn else plan.faces
    kept = [(one, close_up) for one, close_up in drawn if after[one.member] is not None]
    if len(kept) < len(drawn):
        new, changed = _pasted(picture, kept)
        after = lookout.faces(new, lookout.regions(new))
    shown = {one.member for one, _ in kept}
    outcomes = [_outcome(plan, member, after[member], member in shown) for member in range(len(plan.states))]
    return Finished(new, changed, kept, outcomes)


def _pasted(picture: np.ndarray, drawn: Sequence[Drawn]) -> tuple[np.ndarray, np.ndarray]:
    changed = np.zeros(picture.shape[:2], bool)
    for one, close_up in drawn:
        picture, changed = paste(picture, changed, close_up, one.square, one.weights)
    return picture, changed


def _outcome(plan: Plan, member: int, after: MemberFace | None, pasted: bool) -> Outcome:
    face, square, state = plan.faces[member], plan.squares[member], plan.states[member]
    if state == REDRAWN and not pasted:
        state = LOST
    return Outcome(
        name=str(member + 1),
        state=state,
        side=square.side if square else 0,
        before=face.likeness if face else None,
        after=after.likeness if after and state == REDRAWN else None,
    )
