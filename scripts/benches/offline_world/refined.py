"""Pictures of the offline world after a second pass: every small face redrawn in close-up by Refine Cast."""

from __future__ import annotations

import numpy as np

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Recipe
from .drawing import NEGATIVE, strips
from .members import clauses
from .people import Target
from .workbench import Workbench


def refined(
    bench: Workbench, picture: np.ndarray, target: Target, recipe: Recipe, strength: float, seed: int
) -> np.ndarray:
    """A picture, uint8 [S, S, 3], with its faces redrawn at the size of a whole picture.

    Faces are found by the pack whose recogniser the adapter reads, not by the one that scores. Sampling is that of the
    first pass; everything else is as Refine Cast has it by default.
    """
    host = bench.host  # also makes the host importable
    from ....nodes.host.refine.redrawing import RefineSettings
    from ....nodes.refine.refining import refine_pictures

    trios = zip(target.cast, strips(len(target.cast)), close_up_prompts(target), strict=True)
    cast = tuple(Member(who, strip, prompt=host.conditioning([prompt])) for who, strip, prompt in trios)
    s = host.sampling
    settings = RefineSettings(
        positive=host.conditioning([target.prompt]),
        negative=host.conditioning([NEGATIVE]),
        recipe=recipe,
        strength=strength,
        seed=seed,
        steps=s.steps,
        cfg=s.cfg,
        sampler_name=s.sampler,
        scheduler=s.scheduler,
        size=bench.size,
    )
    return refine_pictures([picture], cast, host.model, host.vae, bench.engine, host.adapter, settings).pictures[0]


def close_up_prompts(target: Target) -> list[str]:
    """For each person a picture of them alone, in the same place: "five room, ..." becomes "one room, red sad left"."""
    place = target.prompt.split(", ")[0].split(" ", 1)[1]
    return [f"one {place}, {clause}" for clause in clauses(target)]
