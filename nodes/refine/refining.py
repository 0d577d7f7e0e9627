"""Finished pictures and their cast, to the same pictures with every small face redrawn in close-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...attention.cast import Cast
from ...face.engine import FaceEngine
from ...measure.report import distinct
from ..host.progress import Moving
from ..host.refine.redrawing import NODE, RefineSettings, check_redrawable, redraw
from .close_ups import paste
from .member_faces import Lookout, lookout_for
from .planning import Plan, by_member, plan_for
from .refine_report import REDRAWN, SUBJECT, Outcome, report_of


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
    adapter : nodes.host.adapters.adapter_model.LoadedAdapter for members that bring none of their own, or None
    Raises ValueError for an empty cast, for a model with a cast on it, and for a member without an adapter or with a
    prompt of another text encoder. A member whose face is not found is left alone.
    """
    if not cast:
        raise ValueError(f"{NODE}: the cast is empty, so there is nobody to redraw. Connect a Cast Member node.")
    people = tuple(member for member in cast if member.identity.embeddings)
    check_redrawable(model, [member for member in people if member.strength * settings.strength], adapter)
    lookout = lookout_for(engine, people)
    plans = [plan_for(picture, lookout, settings) for picture in Moving(pictures)]
    new, changed = list(pictures), [np.zeros(picture.shape[:2], bool) for picture in pictures]
    names = distinct([member.identity.name for member in people])
    faces = []
    for member, name, wanted in zip(people, names, by_member(plans, len(people)), strict=True):
        # Member by member, not picture by picture: an adapter's LoRA is then put into the model once for each.
        crops = [close_up.before for _, close_up in wanted]
        drawn = redraw(crops, member, model, vae, adapter, settings) if crops else []
        for (number, one), after in zip(wanted, drawn, strict=True):
            new[number], changed[number] = paste(new[number], changed[number], after, one.square, one.weights)
            faces.append(Redrawn(number, name, one.before, after))
    outcomes = [_outcomes(picture, cast, plan, lookout) for picture, plan in zip(new, plans, strict=True)]
    faces.sort(key=lambda face: face.picture)
    return Refined(new, changed, faces, outcomes, report_of(outcomes, settings.size))


def _outcomes(picture: np.ndarray, cast: Cast, plan: Plan, lookout: Lookout) -> list[Outcome]:
    """What became of each member of the cast; `picture` is the redrawn one."""
    after = lookout.faces(picture, lookout.regions(picture)) if plan.close_ups else plan.faces
    people = iter(zip(plan.states, plan.squares, plan.faces, after, strict=True))
    found = []
    for member, name in zip(cast, distinct([member.identity.name for member in cast]), strict=True):
        if not member.identity.embeddings:
            found.append(Outcome(name, SUBJECT))
            continue
        state, square, face, now = next(people)
        side = square.side if square else 0
        later = now.likeness if now and state == REDRAWN else None
        found.append(Outcome(name, state, side, face.likeness if face else None, later))
    return found
