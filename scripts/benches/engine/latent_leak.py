"""How much of what an identity does to a sampled picture lies outside of its region, in the offline world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Isolation, Recipe
from ....attention.regions.region import Region
from ...figures.samples import Values
from ..offline_world.drawing import NEGATIVE, SAMPLING, Host, strips
from ..offline_world.people import Target, targets
from ..offline_world.workbench import Workbench

STEPS = 10
SEED, OTHER_SEED = 7_600_001, 7_700_001
EVERYWHERE = Recipe("decoupled", "sum")
EVERYTHING_APART = Isolation(eta=0.0, end=1.0, cells=10_000, apart_in="everything")


def changes(bench: Workbench, name: str, recipe: Recipe, count: int) -> Values:
    """Of `count` pictures of two people in halves, of whom one is swapped for somebody else.

    recipe  : EVERYWHERE puts both everywhere at half strength instead, as a comparison
    outside : the share of the energy of the latent's change that lies in the other half
    size    : the root of the change's energy over that of the latent
    """

    def measure() -> Values:
        found: Values = {"outside": [], "size": []}
        first = targets(2, count, SEED, bench.engine, bench.size)
        second = targets(2, count, OTHER_SEED, bench.engine, bench.size)
        for number, (target, others) in enumerate(zip(first, second, strict=True)):
            bench.status(f"{name}: {number} of {count} pictures")
            swapped = number % 2
            people = list(target.cast)
            people[swapped] = others.cast[swapped]
            before = sampled(bench, recipe, target, target.cast, SEED + number)
            change = sampled(bench, recipe, target, people, SEED + number) - before
            found["outside"].append(share_outside(change, swapped))
            found["size"].append((change.norm() / before.norm()).item())
        return found

    return bench.samples.get(f"{name}: latents", measure)


def share_outside(change: Tensor, half: int) -> float:
    """The share of the energy of [B, C, H, W] that is not in the left (0) or right (1) half of the picture."""
    energy = [part.double().square().sum() for part in change.chunk(2, -1)]
    return (energy[1 - half] / sum(energy)).item()


@torch.inference_mode()
def sampled(bench: Workbench, recipe: Recipe, target: Target, people: Sequence, seed: int) -> Tensor:
    """The latent [1, C, H, W] of a target with these people after ten steps of KSampler."""
    host = bench.host  # also makes the host importable
    import nodes

    hint = target.depth[None].expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    prompts = [nodes.CLIPTextEncode().encode(host.clip, text)[0] for text in (target.prompt, NEGATIVE)]
    apply = nodes.ControlNetApplyAdvanced().apply_controlnet
    positive, negative = apply(*prompts, host.control, hint, 1.0, 0.0, 1.0)
    (latent,) = nodes.EmptyLatentImage().generate(bench.size, bench.size, 1)
    settings = (seed, STEPS, SAMPLING.cfg, SAMPLING.sampler, SAMPLING.scheduler)
    model = _patched(host, recipe, people)
    return nodes.KSampler().sample(model, *settings, positive, negative, latent)[0]["samples"].float()


def _patched(host: Host, recipe: Recipe, people: Sequence) -> Any:
    from ....nodes.host.cast.model_patch import patch_cast

    if recipe is EVERYWHERE:
        cast = [Member(who, Region(f"{i + 1}"), 1 / len(people)) for i, who in enumerate(people)]
    else:
        cast = [Member(who, strip) for who, strip in zip(people, strips(len(people)), strict=True)]
    return patch_cast(host.model, tuple(cast), host.adapter, recipe, 1.0)
