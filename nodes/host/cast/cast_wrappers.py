"""The three wrappers of a cast on a model.

Around a whole sampling run (its caches), around each evaluation of the conditionings (which rows are the positive
prompt, which crop they see, who acts) and around each call of the model (our layers, and the terms that answer them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from ..control.control_reach import ReachRun
from ..self_attention.reference_stream import ReferenceRun
from ..self_attention.self_layer import SelfLayer
from ..self_attention.self_terms import SelfTerm
from .cast_call import Call
from .cast_keys import CONDS, MOMENTS, OF_A_CALL, RECORDINGS, RUNS, STEP, TERMS
from .cast_layer import CastLayer, in_force
from .cast_run import CastPatch, CastRun
from .cast_term import CastTerm
from .member_prompts import PromptTerm
from .picture_windows import picture_window
from .recording_term import RecordingTerm, column_of
from .roles import Step, resolve
from .run_schedule import Moment, RunSchedule
from .slots import wrap_layers


class Running(NamedTuple):
    """One patch in one sampling run."""

    run: CastRun
    schedule: RunSchedule
    reach: ReachRun
    photos: ReferenceRun
    guider: Any

    def close(self) -> None:
        """Let go of every tensor; a run that something still refers to holds no memory."""
        for part in (self.run, self.reach, self.photos):
            part.close()


class CastWrappers:
    """The three wrappers of one patch. They hold nothing but the patch: a run lives in the options of its sampling."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch

    def sampling(self, executor, *args, **kwargs):
        """Around one sampling run: the run's caches exist from here until it ends, by whatever way it ends."""
        guider = executor.class_obj
        run = CastRun(self.patch)
        schedule = RunSchedule(self.patch, guider.model_patcher.get_model_object("model_sampling"))
        base = guider.model_patcher.model
        reach = ReachRun(self.patch.blocks, lambda options, x: self._terms_of_control(options, x, base))
        options = guider.model_options["transformer_options"]  # a copy that ComfyUI made for this run
        photos = ReferenceRun(self.patch.photos, self.patch.recipe.references, self.patch.blocks)
        running = Running(run, schedule, reach, photos, guider)
        options[RUNS] = {**options.get(RUNS, {}), self.patch.key: running}
        try:
            return executor(*args, **kwargs)
        finally:
            running.close()

    def evaluation(self, executor, model, conds, x_in, timestep, model_options):
        """Around one evaluation of conditionings: name the rows before they are batched and cropped."""
        options = model_options.get("transformer_options", {})
        if self.patch.key not in options.get(RUNS, {}):
            raise RuntimeError(
                "Troupe: this sampler does not start the way ComfyUI's samplers do, so Apply Cast cannot tell the "
                "positive prompt from the negative one. Use KSampler or SamplerCustom."
            )
        running = options[RUNS][self.patch.key]
        moment = running.schedule.moment(timestep, options.get("sample_sigmas"))
        moments = {**options.get(MOMENTS, {}), self.patch.key: moment}
        if options.get(CONDS) is conds:  # another cast around this one has named them
            step = options[STEP]
        else:
            step = resolve(conds, running.guider.conds, x_in.shape[-2:], picture_window(options))
        if self.patch.recipe.reach or self.patch.recipe.isolation.severs:
            conds = running.reach.conds(conds)
        options = {**options, STEP: step, CONDS: conds, MOMENTS: moments}
        return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": options})

    def model_call(
        self, executor, x, t, c_concat=None, c_crossattn=None, control=None, transformer_options=None, **kwargs
    ):
        """Around one call of the model: put our layers in place, and in force what answers them."""
        options = transformer_options or {}
        base = executor.class_obj
        term = self._term(options, x, base, of_the_unet=True) if STEP in options else None
        moment: Moment | None = options[MOMENTS][self.patch.key] if STEP in options else None
        if term is None and not (moment and (moment.isolated or moment.photos)):
            return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)
        if TERMS not in options:  # an outer patch has put the layers there already
            keys = [block.key for block in self.patch.blocks]
            options = wrap_layers(wrap_layers(options, keys, CastLayer), keys, SelfLayer, "attn1")
        own = self._self_term(executor, moment, options, x, t, c_crossattn, {"c_concat": c_concat, **kwargs})
        terms = (*options.get(TERMS, ()), *([] if term is None else [term]))
        with in_force(terms, own):
            return executor(x, t, c_concat, c_crossattn, control, {**options, TERMS: terms}, **kwargs)

    def _call(self, options: dict, x: Tensor, moment: Moment) -> Call:
        step: Step = options[STEP]
        rows = step.of(options["cond_or_uncond"], options.get("uuids", ()))
        return Call(step.latent, rows, x.shape[0] // len(rows), moment.active)

    def _term(self, options: dict, x: Tensor, base: Any, of_the_unet: bool = False) -> CastTerm | None:
        """What this patch adds to cross-attention in one call; None in a step in which nobody acts.

        of_the_unet : and of no ControlNet, which reads the picture's prompt alone and is not recorded
        """
        moment: Moment = options[MOMENTS][self.patch.key]
        run, dtype = options[RUNS][self.patch.key].run, base.manual_cast_dtype or base.get_dtype()
        call, prompt = self._call(options, x, moment), None
        if (
            of_the_unet
            and any(own is not None for own in self.patch.prompts)
            and any(row.positive for row in call.rows)
        ):
            of_layers = run.prompts.keys_values(base, self.patch.blocks, x.device, dtype)
            prompt = PromptTerm(run.prompts, call, of_layers)
        if not any(moment.active):
            return None if prompt is None else CastTerm(run, call, (), False, prompt)
        for grid in self._grids(x):  # make the layouts here, so that no layer has to
            run.layout(grid, call, x.device, dtype)
        parts = run, call, tuple(run.keys_values(x.device, dtype).values()), moment.boosted, prompt
        recordings = options.get(RECORDINGS, ()) if of_the_unet else ()
        return RecordingTerm(*parts, recordings, column_of(options, x)) if recordings else CastTerm(*parts)

    def _self_term(
        self, executor: Any, moment: Moment, options: dict, x: Tensor, t: Tensor, text: Tensor, rest: Mapping[str, Any]
    ) -> SelfTerm | None:
        """What this patch changes in self-attention in one call; None for nothing."""
        if not (moment.isolated or moment.photos):
            return None
        running, call = options[RUNS][self.patch.key], self._call(options, x, moment)
        photos = {}
        if moment.photos:
            theirs = {key: value for key, value in options.items() if key not in (*OF_A_CALL, "patches")}
            theirs = {**theirs, "cond_or_uncond": [0], "uuids": []}
            photos = running.photos.keys(executor, x, t, text, theirs, call, rest)
        isolation = self.patch.recipe.isolation if moment.isolated else None
        match = self.patch.recipe.references.match_mean
        return self._prepared(
            SelfTerm(running.run.crowds, running.run.cuts, call, isolation, photos, match, self.patch.severed), x
        )

    def _terms_of_control(self, options: dict, x: Tensor, base: Any) -> tuple[CastTerm | None, SelfTerm | None]:
        """What this patch adds to a ControlNet's cross-attention in one call, and how people are kept apart in it."""
        recipe, moment = self.patch.recipe, options[MOMENTS][self.patch.key]
        term = self._term(options, x, base) if recipe.reach else None
        if not (moment.isolated and recipe.isolation.severs):
            return term, None
        run, call = options[RUNS][self.patch.key].run, self._call(options, x, moment)
        return term, self._prepared(SelfTerm(run.crowds, run.cuts, call, recipe.isolation), x)

    def _prepared(self, term: SelfTerm, x: Tensor) -> SelfTerm:
        for grid in self._grids(x):
            term.prepare(grid, x.device)
        return term

    def _grids(self, x: Tensor) -> set[tuple[int, int]]:
        """Rows and columns of the tokens at each level that has layers."""
        levels = {block.level for block in self.patch.blocks}
        return {(-(-x.shape[-2] >> level), -(-x.shape[-1] >> level)) for level in levels}
