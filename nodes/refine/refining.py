"""Finished pictures and their cast, to the same pictures with every small face redrawn in close-up."""

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
from .finishing import Drawn, finished
from .member_faces import lookout_for
from .planning import by_member, plan_for
from .refine_report import SUBJECT, Outcome, report_of


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
