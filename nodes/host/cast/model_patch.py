"""Patch a model so that each member of a cast acts inside their own region.

Nothing reachable from the model that was given is changed. The patch itself is three of ComfyUI's wrappers
(cast_wrappers.py) and what they work with (CastPatch).
"""

from __future__ import annotations

import uuid
from typing import Any

from comfy.patcher_extension import CallbacksMP, WrappersMP

from ....attention.cast import Cast
from ....attention.compositors import default_compositor
from ....attention.margins import with_margin
from ....attention.modes import takes_methods
from ....attention.recipes import Recipe
from ....attention.regions import Region
from ....attention.schedule import shared_window
from ..adapters.adapter_loras import apply_loras
from ..adapters.adapter_model import LoadedAdapter
from ..faces.late_faces import cast_for_adapters
from ..progress import Moving
from ..self_attention.reference_photos import encode_photos
from ..self_attention.severed_layers import sever
from .blocks import check_fit, cross_attention_blocks, widening
from .cast_run import CastPatch
from .cast_wrappers import CastWrappers
from .member_prompts import prompts_of
from .slots import keep_replacements_apart
from .troop import Troop, troop_of

CASTS = "troupe"  # the callback that every model with a cast has, and clones of it


def patch_cast(
    model: Any, cast: Cast, adapter: LoadedAdapter | None, recipe: Recipe, strength: float, vae: Any = None
) -> Any:
    """A clone of `model` that draws the cast; `model` itself when nobody in it has any strength or prompt.

    adapter : for members that bring none of their own
    vae     : encodes reference photos, for recipes that use them
    Raises ValueError when a member has no adapter or a prompt of another text encoder, when an adapter does not fit the
    model, an identity does not fit its adapter, or a recipe lacks the photos or the VAE that it needs.
    """
    cast = cast_for_adapters(cast, adapter)
    strengths = tuple(member.strength * strength for member in cast)
    blocks = tuple(cross_attention_blocks(model))
    prompts = prompts_of(cast, blocks) if recipe.prompts else (None,) * len(cast)
    if not strength or not (any(strengths) or any(prompt is not None for prompt in prompts)):
        return model
    patched = model.clone()
    regions = with_margin([member.region for member in cast], recipe.margin)
    if recipe.everywhere:
        regions = tuple(Region(region.name) for region in regions)
    patch = CastPatch(
        key=uuid.uuid4().hex,
        blocks=blocks,
        troops=_troops(model, cast, adapter, recipe.photos),
        regions=regions,
        strengths=strengths,
        windows=tuple(shared_window((member.start, member.end), (recipe.start, recipe.end)) for member in cast),
        compositor="sum" if recipe.everywhere else recipe.compositor or default_compositor(regions),
        recipe=recipe,
        prompts=prompts,
        photos=encode_photos(Moving(cast), vae, recipe.references.size) if recipe.references.odds else (),
        names=tuple(member.identity.name for member in cast),
        severed=sever(patched) if recipe.isolation.severs else (),
    )
    for troop in patch.troops:
        spec = troop.adapter.spec
        check_fit(blocks, spec.cross_width, spec.layer_widths, troop.adapter.name)
        _check_method(troop.adapter, recipe)
    _keep_apart(model, patched)
    if not has_cast(patched):
        patched.add_callback_with_key(CallbacksMP.ON_CLONE, CASTS, _keep_apart)
    apply_loras(patched, [troop.adapter for troop in patch.troops])
    wrappers = CastWrappers(patch)
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, patch.key, wrappers.sampling)
    patched.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, patch.key, wrappers.evaluation)
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, patch.key, wrappers.model_call)
    return patched


def has_cast(model: Any) -> bool:
    """Whether a model draws a cast already."""
    return bool(model.get_callbacks(CallbacksMP.ON_CLONE, CASTS))


def _troops(model: Any, cast: Cast, adapter: LoadedAdapter | None, photos: str) -> tuple[Troop, ...]:
    members: dict[LoadedAdapter, list[int]] = {}
    for index, member in enumerate(cast):
        own = member.adapter or adapter
        if own is None:
            raise ValueError(
                f"Troupe: '{member.identity.name}' has no adapter. Connect Load Identity Adapter to Apply Cast, "
                "or to that member's Cast Member."
            )
        members.setdefault(own, []).append(index)
    return tuple(
        troop_of(own, indices, Moving([cast[index].identity for index in indices]), photos, widening(model, own))
        for own, indices in members.items()
    )


def _check_method(adapter: LoadedAdapter, recipe: Recipe) -> None:
    if adapter.method.orthogonal and not takes_methods(recipe):
        raise ValueError(
            f"Troupe: the PuLID file '{adapter.name}' has the method {adapter.settings.method}, which takes out of a "
            f"person what the text says already; in mode {recipe.mode}{' as released' * recipe.gate.released} there is "
            "no attention of their own. Set 'method' in Load Identity Adapter to neutral, or choose a recipe of mode "
            "decoupled (Troupe, MultiID, AnyMS, decoupled)."
        )


def _keep_apart(_original: Any, clone: Any) -> None:
    keep_replacements_apart(clone)
