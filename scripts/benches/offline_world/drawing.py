"""Pictures of the offline world through the host's stock nodes, with and without a cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import RECIPES, Recipe
from ....attention.regions.region import Region
from ....face.identity import Identity, normed_embedding


@dataclass(frozen=True)
class Sampling:
    """What KSampler is set to, for every picture of the bench."""

    steps: int = 20
    cfg: float = 3.0
    sampler: str = "euler"
    scheduler: str = "simple"


SAMPLING = Sampling()
NEGATIVE = ""


@dataclass(frozen=True)
class Mode:
    """A way to bring people into a picture.

    strengths  : those it may be at its best with
    everywhere : every identity acts on the whole picture with an equal part of the strength, not in its own strip
    adapter    : which of the world's adapters, "faceid" or the plain one for any "subject"
    """

    name: str
    recipe: Recipe
    strengths: tuple[float, ...]
    everywhere: bool = False
    adapter: str = "faceid"

    def regions(self, people: int) -> list[Region]:
        """Where each person acts."""
        return [Region(f"{i + 1}") for i in range(people)] if self.everywhere else strips(people)


DECOUPLED = Mode("decoupled", Recipe("decoupled"), (1.0, 1.5, 2.0, 2.67))
MASKED = Mode("masked", RECIPES["masked"], (0.5, 1.0, 2.0, 4.0))
GATED = Mode("gated", Recipe("gated"), (2.0, 2.67, 3.67, 5.0))
EVERYWHERE = Mode("every identity everywhere", Recipe("decoupled", "sum"), (1.5, 2.0, 2.67, 3.67), everywhere=True)


def strips(people: int) -> list[Region]:
    """The picture in equal upright parts, from left to right; two people have a half each."""
    return [Region(f"{i + 1}", x=i / people, width=1 / people) for i in range(people)]


def turns(people: Sequence[Identity]) -> Identity:
    """Different people, or subjects, as the photos of one, who then take turns in the pictures of a batch."""
    rows = {name: np.stack([normed_embedding(who, name) for who in people]) for name in people[0].embeddings}
    return replace(people[0], embeddings=rows, photos=tuple(who.photos[0] for who in people))


class Host:
    """The offline world in the real host of this process; in_process.import_host comes first."""

    def __init__(self, weights: Path, sampling: Sampling = SAMPLING):
        import comfy.utils

        from ....nodes.host.adapters.adapter_model import load_adapter
        from ....nodes.host.demo_world import load_demo_vision, load_demo_world

        comfy.utils.set_progress_bar_enabled(False)
        self.sampling = sampling
        self.model, self.clip, self.vae, self.control = load_demo_world()
        self.vision = load_demo_vision()
        names = {kind: f"troupe-demo-{kind}.safetensors" for kind in ("faceid", "subject")}
        self.adapters = {
            kind: load_adapter(weights / "ipadapter" / name, name, vision=self.vision if kind == "subject" else None)
            for kind, name in names.items()
        }
        self.adapter = self.adapters["faceid"]

    def with_casts(self, casts: Sequence[Sequence[Identity]], mode: Mode, strength: float) -> Any:
        """Apply Cast for a batch: in picture b stand the people of casts[b], as many in each, from left to right."""
        from ....nodes.host.cast.model_patch import patch_cast

        part = 1 / len(casts[0]) if mode.everywhere else 1.0
        people = [turns(who) for who in zip(*casts, strict=True)]
        regions = mode.regions(len(people))
        cast = tuple(Member(who, region, part) for who, region in zip(people, regions, strict=True))
        recipe = replace(mode.recipe, photos="one per picture")
        return patch_cast(self.model, cast, self.adapters[mode.adapter], recipe, strength)

    def with_members(self, cast: Sequence[Member], recipe: Recipe, strength: float) -> Any:
        """Apply Cast for one picture."""
        from ....nodes.host.cast.model_patch import patch_cast

        return patch_cast(self.model, tuple(cast), self.adapter, recipe, strength, self.vae)

    @torch.inference_mode()
    def pictures(
        self,
        model: Any,
        prompts: Sequence[str],
        size: int,
        seed: int,
        depth: Tensor | None = None,
        place: int | None = None,
    ) -> list[np.ndarray]:
        """One picture for each prompt, sampled as one batch: uint8 [size, size, 3] each.

        depth : [B, 1, S, S] for Apply ControlNet at full strength
        place : of a single picture in a batch of this seed, to draw it from the noise it has there
        """
        import nodes

        from ....nodes.host.images import to_pictures

        positive, negative = self.conditioning(prompts), self.conditioning([NEGATIVE])
        if depth is not None:
            hint = depth.expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
            apply = nodes.ControlNetApplyAdvanced().apply_controlnet
            positive, negative = apply(positive, negative, self.control, hint, 1.0, 0.0, 1.0)
        (latent,) = nodes.EmptyLatentImage().generate(size, size, len(prompts))
        if place is not None:
            latent["batch_index"] = [place]
        s = self.sampling
        run = nodes.KSampler().sample
        (latent,) = run(model, seed, s.steps, s.cfg, s.sampler, s.scheduler, positive, negative, latent)
        return to_pictures(nodes.VAEDecode().decode(self.vae, latent)[0])

    def conditioning(self, prompts: Sequence[str]) -> list:
        """CLIP Text Encode, with a row for each picture of the batch."""
        import nodes

        encoded = [nodes.CLIPTextEncode().encode(self.clip, prompt)[0][0] for prompt in prompts]
        rows = torch.cat([states for states, _ in encoded])
        return [[rows, {"pooled_output": torch.cat([extra["pooled_output"] for _, extra in encoded])}]]
