"""Finished pictures and their cast, to the same pictures with every small face redrawn in close-up.

A plan for each picture, the close-ups drawn member by member, and each picture finished with what became of its faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...attention.recipes.cast import Cast
from ...face.engine import FaceEngine
from ...measure.report import distinct
from ..host.faces.late_faces import described_cast
from ..host.progress import Moving
from ..host.refine.redrawing import NODE, RefineSettings, check_redrawable, redraw
from .close_ups import Square, claims, cut, head_in, paste, soft_edged, square_around
from .member_faces import Lookout, MemberFace, lookout_for
from .refine_report import (
    HIDDEN,
    IDLE,
    LARGE,
    LOST,
    NO_FACE,
    REDRAWN,
    SUBJECT,
    Outcome,
    Redrawn,
    Refined,
    report_of,
)


@dataclass(frozen=True, eq=False)
class CloseUp:
    """One face that is to be redrawn.

    member  : which of the lookout's
    square  : of the picture
    before  : uint8 [size, size, 3], what is cut out
    weights : float32 [side, side] in 0..1, how much of each pixel of the square is pasted
    """

    member: int
    square: Square
    before: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """For one picture, what is redrawn, and for each member of the lookout the face, its square and what is done."""

    close_ups: list[CloseUp]
    faces: list[MemberFace | None]
    squares: list[Square | None]
    states: list[str]


Drawn = tuple[CloseUp, np.ndarray]
"""What was to be redrawn, and what was drawn, uint8 [size, size, 3]."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A picture, uint8 [H, W, 3]; which pixels changed, bool [H, W]; what was pasted; an outcome for each member."""

    picture: np.ndarray
    changed: np.ndarray
    kept: list[Drawn]
    outcomes: list[Outcome]


def refine_pictures(
    pictures: Sequence[np.ndarray],
    cast: Cast,
    model: Any,
    vae: Any,
    engine: FaceEngine,
    adapter: Any,
    settings: RefineSettings,
) -> Refined:
    """Redraw the small faces of a cast on finished pictures, uint8 [H, W, 3] of any sizes, each by itself.

    model   : without a cast on it; it is not changed
    adapter : nodes.host.adapters.adapter_model.LoadedAdapter for members that bring none of their own; None for one
              of the user's files that fits
    Raises ValueError for an empty cast, for a model with a cast on it, and for a member without an adapter or with a
    prompt of another text encoder. A member whose face is not found is left alone, and so is one whose face is not
    found any more where it was redrawn.
    """
    if not cast:
        raise ValueError(f"{NODE}: the cast is empty, so there is nobody to redraw. Connect a Cast Member node.")
    cast = described_cast(cast, engine, "Refine Cast")
    people = tuple(member for member in cast if member.identity.embeddings)
    acting = [member for member in people if member.strength * settings.strength]
    adapter = check_redrawable(model, acting, adapter, settings, vae)
    lookout = lookout_for(engine, people)
    plans = [plan_for(picture, lookout, settings) for picture in Moving(pictures)]
    drawn: list[list[Drawn]] = [[] for _ in pictures]
    for member, wanted in zip(people, by_member(plans, len(people)), strict=True):
        # Member by member, not picture by picture: an adapter's LoRA is then put into the model once for each.
        crops = [close_up.before for _, close_up in wanted]
        new = redraw(crops, member, model, vae, adapter, settings) if crops else []
        for (number, close_up), after in zip(wanted, new, strict=True):
            drawn[number].append((close_up, after))
    ends = [finished(*parts, lookout) for parts in zip(pictures, plans, drawn, strict=True)]
    names = distinct([member.identity.name for member in people])
    faces = [
        Redrawn(number, names[one.member], one.before, after)
        for number, end in enumerate(ends)
        for one, after in end.kept
    ]
    outcomes = [_of_the_cast(cast, end.outcomes) for end in ends]
    report = report_of(outcomes, settings.size)
    return Refined([end.picture for end in ends], [end.changed for end in ends], faces, outcomes, report)


def _of_the_cast(cast: Cast, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with names, and with one for each member without a face."""
    names, people = distinct([member.identity.name for member in cast]), iter(outcomes)
    return [
        replace(next(people), name=name) if member.identity.embeddings else Outcome(name, SUBJECT)
        for member, name in zip(cast, names, strict=True)
    ]


def plan_for(picture: np.ndarray, lookout: Lookout, settings: RefineSettings) -> Plan:
    """What is to be done on a picture, uint8 [H, W, 3]."""
    height, width = picture.shape[:2]
    regions = lookout.regions(picture)
    faces = lookout.faces(picture, regions)
    squares = [face and square_around(face.bbox, settings.room) for face in faces]
    heads = [
        head_in(square, face.bbox, settings.feather) if face else None
        for square, face in zip(squares, faces, strict=True)
    ]
    free = claims(squares, regions, heads)
    idle = [not member.strength * settings.strength for member in lookout.members]
    states = [
        _state(square, claim, lazy, settings.size) for square, claim, lazy in zip(squares, free, idle, strict=True)
    ]
    close_ups = [
        CloseUp(
            member,
            squares[member],
            cut(picture, squares[member], settings.size),
            soft_edged(free[member], squares[member], settings.feather, height, width),
        )
        for member, state in enumerate(states)
        if state == REDRAWN
    ]
    return Plan(close_ups, faces, squares, states)


def _state(square: Square | None, claim: np.ndarray | None, idle: bool, size: int) -> str:
    if square is None:
        return NO_FACE
    if idle:
        return IDLE
    if square.side >= size:
        return LARGE
    return REDRAWN if claim.any() else HIDDEN


def by_member(plans: Sequence[Plan], members: int) -> list[list[tuple[int, CloseUp]]]:
    """For each member their close-ups and the pictures these are of."""
    found: list[list[tuple[int, CloseUp]]] = [[] for _ in range(members)]
    for number, plan in enumerate(plans):
        for close_up in plan.close_ups:
            found[close_up.member].append((number, close_up))
    return found


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
