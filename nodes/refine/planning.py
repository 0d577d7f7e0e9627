"""What is to be redrawn on a picture: one close-up for each member whose face is small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..host.refine.redrawing import RefineSettings
from .close_ups import Square, claims, cut, head_in, soft_edged, square_around
from .member_faces import Lookout, MemberFace
from .refine_report import HIDDEN, IDLE, LARGE, NO_FACE, REDRAWN


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
