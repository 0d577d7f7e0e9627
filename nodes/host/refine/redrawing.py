"""One member's close-ups through the host's sampler, with this member's identity and prompt alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import comfy.samplers
import numpy as np
import torch

import nodes

from ....attention.recipes.cast import Cast, Member
from ....attention.recipes.recipe import Recipe
from ....attention.regions.region import Region
from ..adapters.loaded_adapter import LoadedAdapter
from ..cast.chosen_adapter import adapter_for
from ..cast.model_patch import has_cast, patch_cast
from ..effects.prompts import negatives_of, prompts_of
from ..images import to_images, to_pictures
from ..model.families import family_of, text_width

SAMPLERS, SCHEDULERS = comfy.samplers.KSampler.SAMPLERS, comfy.samplers.KSampler.SCHEDULERS
OF_THE_WHOLE = ("control", "control_apply_to_uncond", "area", "mask", "mask_strength", "set_area_to_bounds", "gligen")
OF_THE_WHOLE += ("concat_latent_image", "concat_mask", "reference_latents")
NODE = "Troupe, Refine Cast"


@dataclass(frozen=True, eq=False)
class RefineSettings:
    """How close-ups are made.

    positive, negative : conditionings of the host, for members without prompts of their own
    recipe, strength   : as Apply Cast has them
    seed, steps, cfg, sampler_name, scheduler, denoise : as KSampler has them
    size    : side of a close-up, in pixels, a multiple of 8
    room    : side of the square that is cut out, in parts of the longer side of the face's box
    feather : width of the soft rim where it is pasted back, in parts of that square's side
    """

    positive: Any = field(repr=False)
    negative: Any = field(repr=False)
    recipe: Recipe
    strength: float = 0.8
    seed: int = 0
    steps: int = 20
    cfg: float = 7.0
    sampler_name: str = "euler"
    scheduler: str = "simple"
    denoise: float = 0.7
    size: int = 512
    room: float = 2.0
    feather: float = 0.2


def check_redrawable(
    model: Any, members: Cast, adapter: LoadedAdapter | None, settings: RefineSettings, vae: Any
) -> LoadedAdapter | None:
    """The adapter for members without their own: the given one, or one of the user's files that fits.

    Raises ValueError for a model that draws a cast already, and for members whose close-up cannot be drawn.
    """
    if has_cast(model):
        raise ValueError(
            f"{NODE}: the model comes from Apply Cast, so the whole cast would act in every close-up. Connect the "
            "model that goes into Apply Cast."
        )
    family = family_of(model)
    prompted = [replace(member, prompt=[part]) for member in members for part in member.prompt or ()]
    prompts_of(prompted, text_width(model, family))
    refused = [replace(member, negative=[part]) for member in members for part in member.negative or ()]
    negatives_of(refused, text_width(model, family))
    return adapter_for(model, members, adapter, settings.recipe, settings.strength, vae).adapter


@torch.inference_mode()
def redraw(
    crops: Sequence[np.ndarray],
    member: Member,
    model: Any,
    vae: Any,
    adapter: LoadedAdapter | None,
    settings: RefineSettings,
) -> list[np.ndarray]:
    """Close-ups of one member's face, uint8 [size, size, 3] each, drawn anew one by one.

    The member acts on the whole close-up. The noise depends on the seed and the name of their region, so it is the
    same whoever else is in the cast and however many pictures there are.
    """
    alone = replace(member, region=Region(member.region.name), prompt=None, negative=None)
    patched = patch_cast(model, (alone,), adapter, settings.recipe, settings.strength, vae)
    positive = without_places(settings.positive if member.prompt is None else member.prompt)
    negative = without_places(settings.negative if member.negative is None else member.negative)
    s, seed = settings, (settings.seed + zlib.crc32(member.region.name.encode())) % 2**64
    drawn = []
    for crop in crops:
        latent = {"samples": vae.encode(to_images([crop]))}
        run = patched, seed, s.steps, s.cfg, s.sampler_name, s.scheduler, positive, negative, latent
        (latent,) = nodes.common_ksampler(*run, denoise=s.denoise)
        drawn += to_pictures(nodes.VAEDecode().decode(vae, latent)[0])
    return drawn


def without_places(conditioning: list) -> list:
    """A conditioning without what belongs to places of the whole picture: ControlNets, areas, masks, boxes, latents."""
    return [[text, {key: it for key, it in values.items() if key not in OF_THE_WHOLE}] for text, values in conditioning]
