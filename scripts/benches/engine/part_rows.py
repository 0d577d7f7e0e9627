"""Rows of what a recipe's parts cost in a call: people kept apart, prompts of their own, attention to their photos.

Beside each stands its arithmetic floor: what the call's multiplications come to, against those of an unpatched call.
Nothing that does this arithmetic can be faster at the unpatched call's pace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Isolation, Recipe, References
from ...figures.samples import Samples
from ...figures.verdict import Figure, Row
from .cost_rows import Timed, people_in_words
from .latent_leak import EVERYTHING_APART
from .rigs import Rig, Workshop
from .runs import Call, within_runs
from .structures import random_conditioning, random_vae, side_by_side
from .timing import clock, ratio_figure, time_in_turns

PHOTO = 256  # pixels along a side of a photo


@dataclass(frozen=True, eq=False)
class Part:
    """What members have and the recipe does, beside `decoupled`; all of it at every step."""

    name: str
    recipe: Recipe
    prompts: bool = False
    bound: float | None = None

    def cast(self, rig: Rig, people: int) -> tuple[Member, ...]:
        """People side by side, with what the part needs of them."""
        cast = side_by_side(people)
        if self.recipe.references.odds:
            cast = tuple(_with_photo(member, seed) for seed, member in enumerate(cast))
        if self.prompts:
            prompts = (random_conditioning(rig.shape.structure, 10 + seed) for seed in range(people))
            cast = tuple(replace(member, prompt=prompt) for member, prompt in zip(cast, prompts, strict=True))
        return cast

    def patched(self, rig: Rig, people: int) -> Any:
        """The model with this part."""
        vae = random_vae() if self.recipe.references.odds else None
        return rig.with_cast(self.recipe, self.cast(rig, people), vae)


ISOLATION_BOUND = 1.10
PARTS = (
    Part("isolation", Recipe("decoupled", isolation=Isolation(eta=0.0, end=1.0)), bound=ISOLATION_BOUND),
    Part("everything apart", Recipe("decoupled", isolation=EVERYTHING_APART)),
    Part("half isolation", Recipe("decoupled", isolation=Isolation(eta=0.5, end=1.0))),
    Part("local prompts", Recipe("decoupled"), prompts=True),
    Part("reference attention", Recipe("decoupled", references=References(odds=1.0, start=0.0, end=1.0, size=PHOTO))),
)


def _with_photo(member: Member, seed: int) -> Member:
    picture = np.random.default_rng(seed).integers(0, 256, (PHOTO, PHOTO, 3), dtype=np.uint8)
    quarter = PHOTO // 4
    member.identity.photos = (picture,)
    member.identity.boxes = np.array([[quarter, quarter, 3 * quarter, 3 * quarter]], np.float32)
    return member


def part_rows(case: Timed, workshop: Workshop, samples: Samples, status: Callable[[str], None]) -> Iterator[Row]:
    """Every part with two people: the ratio of timed calls, and of their arithmetic."""
    people = 2
    for part in PARTS:
        cast = f"{case.name}, {part.name}, {people_in_words(people)}"

        def timed(part: Part = part, cast: str = cast) -> Figure:
            def measure() -> dict[str, list[float]]:
                rig = workshop.rig(case.shape)
                status(cast)
                models, seconds = (rig.model, part.patched(rig, people)), clock(rig.model.load_device)
                return time_in_turns(case.shape.structure, *models, case.shape.size, case.runs, case.pairs, seconds)

            return ratio_figure(samples.get(cast, measure))

        def floor(part: Part = part) -> Figure:
            rig = workshop.rig(case.shape)
            ratio = arithmetic_ratio(rig, part.patched(rig, people))
            return Figure(ratio, ratio, ratio, 1)

        yield Row(f"{cast}: a call against an unpatched one", "x", timed, part.bound)
        yield Row(f"{cast}: arithmetic of a call against that of an unpatched one", "x", floor)


def arithmetic_ratio(rig: Rig, patched: Any) -> float:
    """Multiplications of a later call of the patched model over those of the unpatched one."""

    def job(plain_call: Call, patched_call: Call) -> float:
        patched_call()  # makes the keys and values of the run
        return multiplications(patched_call) / multiplications(plain_call)

    return within_runs(rig.shape.structure, [rig.model, patched], rig.shape.size, job)


def multiplications(call: Call) -> int:
    """Multiplications and additions of matrix products, convolutions and attention in a call."""
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # PyTorch's counter leaves this one out

    def attended(query, key, value, *_args, out_shape=None, **_kwargs) -> int:
        return sdpa_flop_count(query, key, value)

    with FlopCounterMode(display=False, custom_mapping={fused: attended}) as counter:
        call()
    return counter.get_total_flops()
