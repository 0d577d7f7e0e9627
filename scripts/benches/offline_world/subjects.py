"""Rows of the plain adapter, which reads pictures of anything: one person and one thing alone in the picture.

People are scored by the recogniser that only scores. For things there is no judge but the image encoder that feeds the
adapter, so their rows say what the encoder sees of the reference in the picture, and of other things of the same kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ....attention.recipes.recipe import Recipe
from ....demo.people import new_identities
from ....demo.renderer import render
from ....demo.scenes import KINDS, photos
from ....face.identity import Identity, subject_from_pictures
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .company import BATCH, best_strength, measured
from .drawing import Mode
from .people import PHOTO, as_picture, generator_of, prompt_of
from .workbench import Workbench

PLAIN = Mode("plain adapter", Recipe("decoupled"), (0.6, 1.0, 1.6, 2.2), adapter="subject")
SEED, TUNING_SEED = 7_600_001, 7_700_001
LEAST = 20  # pictures before a mean decides anything


def subject_rows(bench: Workbench) -> list[Row]:
    """The plain adapter at its own best strength, for people and for things, and things without it."""
    own, other = "to its reference", "to other things of its kind"

    def of_people() -> Figure:
        return bootstrap_figure(measured(bench, PLAIN, 1)["own"])

    def row(name: str, says: str, field: str, patched: bool) -> Row:
        def measure() -> Figure:
            return bootstrap_figure(things(bench, best_for_things(bench) if patched else 0.0)[field])

        return Row(f"one subject, {name}: the image encoder's similarity {says}", "", measure, None, False, LEAST)

    return [
        Row(
            "one subject, plain adapter, a person: best strength", "", lambda: _exactly(best_strength(bench, PLAIN, 1))
        ),
        Row("one subject, plain adapter, a person: similarity to the reference", "", of_people, None, False, LEAST),
        Row("one subject, plain adapter, a thing: best strength", "", lambda: _exactly(best_for_things(bench))),
        row("plain adapter, a thing", own, "own", True),
        row("plain adapter, a thing", other, "other", True),
        row("unpatched, a thing", own, "own", False),
    ]


def _exactly(value: float) -> Figure:
    return Figure(value, value, value, 1)


def best_for_things(bench: Workbench) -> float:
    """The strength with the highest similarity to the reference, on seeds that no row is measured on."""
    return max(PLAIN.strengths, key=lambda strength: np.mean(things(bench, strength, tuning=True)["own"]))


def things(bench: Workbench, strength: float, tuning: bool = False) -> Values:
    """Pictures of things, balls and plants by turns, by what the image encoder sees in them: `own` and `other`."""
    count, seed = (bench.amounts.tuning, TUNING_SEED) if tuning else (bench.amounts.casts, SEED)
    name = f"{'tuning ' * tuning}things at {strength}"
    return bench.samples.get(name, lambda: _drawn(bench, strength, count, seed, name))


def _drawn(bench: Workbench, strength: float, count: int, seed: int, name: str) -> Values:
    values: Values = {"own": [], "other": []}
    for kind in range(1, len(KINDS)):
        references, prompts = _references(kind, (count + 1) // (len(KINDS) - 1), seed + kind)
        pictures: list[np.ndarray] = []
        for first in range(0, len(references), BATCH):
            bench.status(f"{name}: {KINDS[kind]} {first} of {len(references)}")
            part = slice(first, first + BATCH)
            casts = [[subject] for subject in references[part]]
            model = bench.host.with_casts(casts, PLAIN, strength) if strength else bench.host.model
            pictures += bench.host.pictures(model, prompts[part], bench.size, seed + first)
        likeness = seen(bench, pictures) @ seen(bench, [subject.photos[0] for subject in references]).T
        values["own"] += likeness.diag().tolist()
        if len(references) > 1:
            values["other"] += ((likeness.sum(1) - likeness.diag()) / (len(references) - 1)).tolist()
    return values


def _references(kind: int, count: int, seed: int) -> tuple[list[Identity], list[str]]:
    """Things that no training saw, each with a picture, and prompts for other pictures of that kind."""
    generator = generator_of(seed)
    identity = new_identities(count, generator)
    shown, wanted = photos(identity, generator, kind), photos(identity, generator, kind)
    pictures = [as_picture(render(shown[row : row + 1], PHOTO).picture[0]) for row in range(count)]
    subjects = [subject_from_pictures(f"{KINDS[kind]} {row}", [picture]) for row, picture in enumerate(pictures)]
    return subjects, [prompt_of(wanted, row) for row in range(count)]


def seen(bench: Workbench, pictures: Sequence[np.ndarray]) -> Tensor:
    """What the world's image encoder sees, unit length: [N, width]."""
    from ....nodes.host.images import to_images

    parts = [bench.host.vision.encode_image(to_images([picture]))["image_embeds"] for picture in pictures]
    return torch.nn.functional.normalize(torch.cat(parts).detach().float(), dim=-1)
