"""Patch a model so that each member of a cast acts inside their own region.

Nothing reachable from the model that was given is changed. The patch itself is three of ComfyUI's wrappers:
around a whole sampling run (its caches), around each evaluation of the conditionings (which rows are the positive
prompt, which crop they see) and around each call of the model (a term of ours on every cross-attention layer).
"""

from __future__ import annotations

import uuid
from typing import Any

from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ...attention.cast import Cast
from ...attention.compositors import default_compositor
from ...attention.recipes import Recipe
from ...attention.schedule import shared_window
from .adapter_loras import apply_loras
from .adapter_model import LoadedAdapter
from .blocks import check_fit, cross_attention_blocks, widening
from .cast_layer import CastLayer, in_force
from .cast_run import Call, CastPatch, CastRun
from .cast_term import CastTerm
from .picture_windows import picture_window
from .roles import Step, resolve
from .run_schedule import Moment, RunSchedule
from .slots import keep_replacements_apart, wrap_layers
from .troop import Troop, troop_of

RUNS = "troupe_runs"  # in a run's transformer options: CastPatch.key -> the run of that patch, its schedule, its guider
STEP = "troupe_step"  # in an evaluation's transformer options: its rows
TERMS = "troupe_terms"  # in a model call's options: the terms of all patches around it, outermost first
MOMENTS = "troupe_moments"  # in an evaluation's transformer options: CastPatch.key -> who acts


def patch_cast(model: Any, cast: Cast, adapter: LoadedAdapter | None, recipe: Recipe, strength: float) -> Any:
    """A clone of `model` that draws the cast; `model` itself when nobody in the cast has any strength.

    adapter : for members that bring none of their own
    Raises ValueError when a member has no adapter or brings a prompt that the recipe cannot use, when an adapter does
    not fit the model, or an identity does not fit its adapter.
    """
    _check_prompts(cast)
    strengths = tuple(member.strength * strength for member in cast)
    if not any(strengths):
        return model
    blocks = tuple(cross_attention_blocks(model))
    regions = tuple(member.region for member in cast)
    patch = CastPatch(
        key=uuid.uuid4().hex,
        blocks=blocks,
        troops=_troops(model, cast, adapter, recipe.photos),
        regions=regions,
        strengths=strengths,
        windows=tuple(shared_window((member.start, member.end), (recipe.start, recipe.end)) for member in cast),
        compositor=recipe.compositor or default_compositor(regions),
        recipe=recipe,
    )
    for troop in patch.troops:
        spec = troop.adapter.spec
        check_fit(blocks, spec.cross_width, spec.layer_widths, troop.adapter.name)
    patched = model.clone()
    _keep_apart(model, patched)
    if not patched.get_callbacks(CallbacksMP.ON_CLONE, "troupe"):
        patched.add_callback_with_key(CallbacksMP.ON_CLONE, "troupe", _keep_apart)
    apply_loras(patched, [troop.adapter for troop in patch.troops])
    wrappers = _Wrappers(patch)
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, patch.key, wrappers.sampling)
    patched.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, patch.key, wrappers.evaluation)
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, patch.key, wrappers.model_call)
    return patched


def _check_prompts(cast: Cast) -> None:
    prompted = [member.identity.name for member in cast if member.prompt is not None]
    if prompted:
        raise ValueError(
            f"Troupe: {', '.join(prompted)} brings a prompt of their own, and no recipe of this version uses one. "
            "Disconnect 'prompt' from Cast Member, and describe everybody in the main prompt."
        )


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
        troop_of(own, indices, [cast[index].identity for index in indices], photos, widening(model, own))
        for own, indices in members.items()
    )


def _keep_apart(_original: Any, clone: Any) -> None:
    keep_replacements_apart(clone)


class _Wrappers:
    """The three wrappers of one patch. They hold nothing but the patch: a run lives in the options of its sampling."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch

    def sampling(self, executor, *args, **kwargs):
        """Around one sampling run: the run's caches exist from here until it ends, by whatever way it ends."""
        guider = executor.class_obj
        run = CastRun(self.patch)
        schedule = RunSchedule(self.patch, guider.model_patcher.get_model_object("model_sampling"))
        options = guider.model_options["transformer_options"]  # a copy that ComfyUI made for this run
        options[RUNS] = {**options.get(RUNS, {}), self.patch.key: (run, schedule, guider)}
        try:
            return executor(*args, **kwargs)
        finally:
            run.close()

    def evaluation(self, executor, model, conds, x_in, timestep, model_options):
        """Around one evaluation of conditionings: name the rows before they are batched and cropped."""
        options = model_options.get("transformer_options", {})
        if self.patch.key not in options.get(RUNS, {}):
            raise RuntimeError(
                "Troupe: this sampler does not start the way ComfyUI's samplers do, so Apply Cast cannot tell the "
                "positive prompt from the negative one. Use KSampler or SamplerCustom."
            )
        _, schedule, guider = options[RUNS][self.patch.key]
        moment = schedule.moment(timestep, options.get("sample_sigmas"))
        moments = {**options.get(MOMENTS, {}), self.patch.key: moment}
        step = resolve(conds, guider.conds, x_in.shape[-2:], picture_window(options))
        options = {**options, STEP: step, MOMENTS: moments}
        return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": options})

    def model_call(
        self, executor, x, t, c_concat=None, c_crossattn=None, control=None, transformer_options=None, **kwargs
    ):
        """Around one call of the model: put the identities' term on every cross-attention layer."""
        options = transformer_options or {}
        term = self._term(options, x, executor.class_obj) if STEP in options else None
        if term is None:
            return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)
        if TERMS not in options:  # an outer patch has put the layers there already
            options = wrap_layers(options, [block.key for block in self.patch.blocks], CastLayer)
        terms = (*options.get(TERMS, ()), term)
        with in_force(terms):
            return executor(x, t, c_concat, c_crossattn, control, {**options, TERMS: terms}, **kwargs)

    def _term(self, options: dict, x: Tensor, base: Any) -> CastTerm | None:
        """What this patch adds in one call of the model; None in a step in which nobody acts."""
        moment: Moment = options[MOMENTS][self.patch.key]
        if not any(moment.active):
            return None
        run, dtype = options[RUNS][self.patch.key][0], base.manual_cast_dtype or base.get_dtype()
        step: Step = options[STEP]
        rows = step.of(options["cond_or_uncond"], options.get("uuids", ()))
        call = Call(step.latent, rows, x.shape[0] // len(rows), moment.active)
        for level in {block.level for block in self.patch.blocks}:  # make the layouts here, so that no layer has to
            run.layout((-(-x.shape[-2] >> level), -(-x.shape[-1] >> level)), call, x.device, dtype)
        return CastTerm(run, call, tuple(run.keys_values(x.device, dtype).values()), moment.boosted)
