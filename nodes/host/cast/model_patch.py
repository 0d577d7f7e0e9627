"""Patch a model so that each member of a cast acts inside their own region.

Nothing reachable from the model that was given is changed. The patch itself is three of ComfyUI's wrappers
(cast_wrappers.py) and what they work with (CastPatch): a list of effects, each a file of nodes/host/effects.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from comfy.patcher_extension import CallbacksMP, WrappersMP

from ....attention.recipes.cast import Cast
from ....attention.recipes.recipe import Recipe
from ....attention.regions.compositors import default_compositor
from ....attention.regions.feathering import with_margin
from ....attention.regions.region import Region
from ..adapters.loaded_adapter import LoadedAdapter
from ..effects.cast_patch import CastPatch
from ..effects.control_reach import ReachIntoControl
from ..effects.effect import Effect, Given
from ..effects.identities import Identities
from ..effects.isolated_convolutions import IsolateConvolutions
from ..effects.isolation import KeepApart
from ..effects.prompts import Prompts, unused_prompts
from ..effects.pulid_flux import PulidFlux, by_pulid_flux
from ..effects.references import ReferencePhotos
from ..effects.routing import Route
from ..faces.late_faces import cast_for_adapters
from ..model.blocks import cross_attention_blocks, unet_of
from ..model.families import family_of
from ..model.family import JOINT, UNET
from ..model.slots import keep_replacements_apart
from .cast_wrappers import CastWrappers
from .chosen_adapter import adapter_for

log = logging.getLogger(__name__)
CASTS = "troupe"  # the callback that every model with a cast has, and clones of it
# In the order in which they join a call's terms: photos join the self-attention of people who are kept apart.
BRINGING = (
    Prompts,
    Identities,
    PulidFlux,
    Route,
)  # somebody into the picture; without any of them a cast has nothing to say
BESIDE = (KeepApart, IsolateConvolutions, ReferencePhotos, ReachIntoControl)


def patch_cast(
    model: Any, cast: Cast, adapter: LoadedAdapter | None, recipe: Recipe, strength: float, vae: Any = None
) -> Any:
    """A clone of `model` that draws the cast; `model` itself when nobody in it has any strength or prompt.

    adapter : for members that bring none of their own; None: one of the user's files that fits (chosen_adapter.py)
    vae     : encodes reference photos, for recipes that use them and for models that take people from photos
    Raises ValueError for a model of no family that is known; when a member has no adapter or a prompt of another text
    encoder, when an adapter does not fit the model, an identity does not fit its adapter, or a recipe lacks the photos
    or the VAE that it needs.
    """
    family = family_of(model)
    blocks = tuple(cross_attention_blocks(model)) if family.kind == UNET else ()
    if family.kind == JOINT and has_cast(model):
        raise ValueError(
            f"Troupe: this {family.name} model draws a cast already, and its references can be shared out once. Put "
            "all people into one cast (chain Cast Member), and use one Apply Cast."
        )
    if family.kind == JOINT and any(member.settings.for_cross_attention for member in cast):
        log.warning(
            "Troupe, Member Settings: weight types, layers, embeds scaling and second adapters act in cross-attention, "
            "which %s does not have; they are left out.", family.name,
        )  # fmt: skip
    adapter = adapter_for(model, cast, adapter, recipe, strength, vae).adapter
    if family.kind == UNET or any(by_pulid_flux(member.adapter or adapter) for member in cast):
        cast = cast_for_adapters(cast, adapter)
    patched = model.clone()
    given = Given(patched, blocks, cast, recipe, adapter, strength, vae, family)
    effects = _made(BRINGING, given)
    if not effects:
        return model
    effects += _made(BESIDE, given)
    if unused := unused_prompts(cast, recipe, family.kind):
        log.info(unused)
    regions = with_margin([member.region for member in cast], recipe.margin)
    if recipe.everywhere:
        regions = tuple(Region(region.name) for region in regions)
    patch = CastPatch(
        key=uuid.uuid4().hex,
        blocks=blocks,
        regions=regions,
        compositor="sum" if recipe.everywhere else recipe.compositor or default_compositor(regions),
        recipe=recipe,
        names=tuple(member.identity.name for member in cast),
        effects=effects,
        picture_places=family.picture_places(unet_of(model.model)) if family.kind == JOINT else (),
    )
    _keep_apart(model, patched)
    if not has_cast(patched):
        patched.add_callback_with_key(CallbacksMP.ON_CLONE, CASTS, _keep_apart)
    for effect in effects:
        effect.install(patched)
    wrappers = CastWrappers(patch)
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, patch.key, wrappers.sampling)
    patched.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, patch.key, wrappers.evaluation)
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, patch.key, wrappers.model_call)
    return patched


def has_cast(model: Any) -> bool:
    """Whether a model draws a cast already."""
    return bool(model.get_callbacks(CallbacksMP.ON_CLONE, CASTS))


def _made(kinds: tuple[type[Effect], ...], given: Given) -> tuple[Effect, ...]:
    acting = (kind for kind in kinds if given.family.kind in kind.kinds)
    return tuple(effect for kind in acting if (effect := kind.of(given)) is not None)


def _keep_apart(_original: Any, clone: Any) -> None:
    keep_replacements_apart(clone)
