"""Patch a model so that each member of a cast acts inside their own region.

Nothing reachable from the model that was given is changed. The patch itself is three of ComfyUI's wrappers:
around a whole sampling run (its caches), around each evaluation of the conditionings (which rows are the positive
prompt, which crop they see) and around each call of the model (a term of ours on every cross-attention layer).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy.patcher_extension import CallbacksMP, WrappersMP
from torch import Tensor

from ...attention.cast import Cast
from ...attention.compositors import default_compositor
from ...attention.decoupled import identity_attention
from ...attention.recipes import Recipe
from .adapter_model import LoadedAdapter
from .blocks import check_fit, cross_attention_blocks
from .cast_run import CastPatch, CastRun, Troop
from .identity_embedding import embedding_for
from .roles import Row, Step, resolve
from .slots import Replacement, keep_replacements_apart, wrap_layers

RUNS = "troupe_runs"  # in a run's transformer options: CastPatch.key -> the run of that patch
STEP = "troupe_step"  # in an evaluation's transformer options: its rows


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
        troops=_troops(cast, adapter),
        regions=regions,
        strengths=strengths,
        compositor=recipe.compositor or default_compositor(regions),
    )
    for troop in patch.troops:
        spec = troop.adapter.spec
        check_fit(blocks, spec.cross_width, spec.layer_widths, troop.adapter.name)
    patched = model.clone()
    _keep_apart(model, patched)
    if not patched.get_callbacks(CallbacksMP.ON_CLONE, "troupe"):
        patched.add_callback_with_key(CallbacksMP.ON_CLONE, "troupe", _keep_apart)
    _load_with(patched, [troop.adapter for troop in patch.troops])
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


def _troops(cast: Cast, adapter: LoadedAdapter | None) -> tuple[Troop, ...]:
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
        Troop(own, tuple(indices), torch.stack([embedding_for(cast[index].identity, own) for index in indices]))
        for own, indices in members.items()
    )


def _keep_apart(_original: Any, clone: Any) -> None:
    keep_replacements_apart(clone)


def _load_with(patched: Any, adapters: Sequence[LoadedAdapter]) -> None:
    """Have ComfyUI load the adapters together with the model and count their memory."""
    loaded = list(patched.get_additional_models_with_key("troupe"))
    known = {patcher.model for patcher in loaded}
    loaded += [adapter.patcher for adapter in adapters if adapter.patcher.model not in known]
    patched.set_additional_models("troupe", loaded)


class _Wrappers:
    """The three wrappers of one patch. They hold nothing but the patch: a run lives in the options of its sampling."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch

    def sampling(self, executor, *args, **kwargs):
        """Around one sampling run: the run's caches exist from here until it ends, by whatever way it ends."""
        guider = executor.class_obj
        run = CastRun(self.patch)
        options = guider.model_options["transformer_options"]  # a copy that ComfyUI made for this run
        options[RUNS] = {**options.get(RUNS, {}), self.patch.key: (run, guider)}
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
        _, guider = options[RUNS][self.patch.key]
        step = resolve(conds, guider.conds, x_in.shape[-2:])
        return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": {**options, STEP: step}})

    def model_call(
        self, executor, x, t, c_concat=None, c_crossattn=None, control=None, transformer_options=None, **kwargs
    ):
        """Around one call of the model: put the identities' term on every cross-attention layer."""
        options = transformer_options or {}
        if STEP in options:
            base = executor.class_obj
            options = self._with_identities(options, x, base.manual_cast_dtype or base.get_dtype())
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def _with_identities(self, options: dict, x: Tensor, dtype: torch.dtype) -> dict:
        run, _ = options[RUNS][self.patch.key]
        step: Step = options[STEP]
        rows = step.of(options["cond_or_uncond"], options.get("uuids", ()))
        keys_values = run.keys_values(x.device, dtype)
        call = _ModelCall(run, step.latent, rows, x.shape[0] // len(rows))
        call.prepare((x.shape[-2], x.shape[-1]), {block.level for block in self.patch.blocks}, x.device, dtype)

        def wrap(key, inner: Replacement) -> Replacement:
            return _Layer(inner, *keys_values[key], call)

        return wrap_layers(options, keys_values, wrap)


@dataclass(frozen=True, eq=False)
class _ModelCall:
    """What the layers of one model call share: the groups of rows, and how many pictures each has."""

    run: CastRun
    latent: tuple[int, int]
    rows: tuple[Row, ...]
    images: int

    def pages(self, grid: tuple[int, int], device: torch.device, dtype: torch.dtype):
        return self.run.pages(grid, self.latent, self.rows, self.images, device, dtype)

    def prepare(self, size: tuple[int, int], levels: set[int], device: torch.device, dtype: torch.dtype) -> None:
        """Make the pages of the grids to come, so that no layer has to."""
        for level in levels:
            self.pages((-(-size[0] >> level), -(-size[1] >> level)), device, dtype)


@dataclass(frozen=True, eq=False)
class _Layer:
    """One cross-attention layer: what stood there, plus the identities."""

    inner: Replacement
    keys: Tensor
    values: Tensor
    call: _ModelCall

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        out = self.inner(q, k, v, extra_options)
        height, width = extra_options["activations_shape"][-2:]
        pages = self.call.pages((height, width), q.device, q.dtype)
        return identity_attention(out, q, self.keys.to(q), self.values.to(q), pages, extra_options["n_heads"])
