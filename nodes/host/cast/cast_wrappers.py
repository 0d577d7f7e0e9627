"""The three wrappers of a cast on a model.

Around a whole sampling run (its caches), around each evaluation of the conditionings (which rows are the positive
prompt, which crop they see, who acts) and around each call of the model (our layers, and the terms that answer them).
"""

from __future__ import annotations

from ..effects.cast_patch import CastPatch
from ..layers.cross_attention_layer import CrossAttentionLayer
from ..layers.in_force import in_force, joined
from ..layers.picture_layer import with_picture_layers
from ..layers.self_attention_layer import SelfAttentionLayer
from ..model.crops import crop_in, within
from ..model.option_keys import CONDS, INPUT, RUNS, STATES, STEP, TERMS
from ..model.rows import picture_numbers, picture_window, resolve
from ..model.slots import wrap_layers
from .cast_run import CastRun


class CastWrappers:
    """The three wrappers of one patch. They hold nothing but the patch: a run lives in the options of its sampling."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch

    def sampling(self, executor, *args, **kwargs):
        """Around one sampling run: the run's caches exist from here until it ends, however it ends."""
        guider = executor.class_obj
        run = CastRun(self.patch, guider)
        options = guider.model_options["transformer_options"]  # a copy that ComfyUI made for this run
        options[RUNS] = {**options.get(RUNS, {}), self.patch.key: run}
        given = guider.conds
        try:
            guider.conds = run.given_conds(given)
            return executor(*args, **kwargs)
        finally:
            guider.conds = given
            run.close()

    def evaluation(self, executor, model, conds, x_in, timestep, model_options):
        """Around one evaluation of conditionings: name the rows before they are batched and cropped."""
        options = model_options.get("transformer_options", {})
        if self.patch.key not in options.get(RUNS, {}):
            raise RuntimeError(
                "Troupe: this sampler does not start the way ComfyUI's samplers do, so Apply Cast cannot tell the "
                "positive prompt from the negative one. Use KSampler or SamplerCustom."
            )
        run: CastRun = options[RUNS][self.patch.key]
        states = run.schedule.states(timestep, options.get("sample_sigmas"))
        if options.get(CONDS) is conds:  # another cast around this one has named them
            step = options[STEP]
        else:
            window, pictures = picture_window(options), picture_numbers(options)
            step = resolve(conds, run.guider.conds, x_in.shape[-2:], window, pictures)
            positive = run.guider.conds.get("positive") or ()
            if any("control" in cond for cond in positive):  # a marker of a crop is one, see model/crops.py
                step = within(step, crop_in(positive))
        conds = run.conds(conds)
        options = {
            **options,
            STEP: step,
            CONDS: conds,
            INPUT: x_in,
            STATES: {**options.get(STATES, {}), self.patch.key: states},
        }
        return executor(model, conds, x_in, timestep, {**model_options, "transformer_options": options})

    def model_call(
        self, executor, x, t, c_concat=None, c_crossattn=None, control=None, transformer_options=None, **kwargs
    ):
        """Around one call of the model: put our layers in place, and in force what answers them."""
        options = transformer_options or {}
        if STEP not in options:
            return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)
        ours = options
        first = TERMS not in options  # an outer patch has put the layers there already
        if first:
            ours = self._with_layers(options)
        run: CastRun = options[RUNS][self.patch.key]
        others = {"again": executor, "t": t, "text": c_crossattn, "rest": {"c_concat": c_concat, **kwargs}}
        terms = run.terms(run.call(ours, executor.class_obj, x, **others))
        if not terms:
            return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)
        if first and terms.joint is not None:
            ours = terms.joint.in_place(ours)
        all_terms = (*options.get(TERMS, ()), terms)
        with in_force(joined(all_terms)):
            return executor(x, t, c_concat, c_crossattn, control, {**ours, TERMS: all_terms}, **kwargs)

    def _with_layers(self, options: dict) -> dict:
        """Options with our layers in the places of a UNet's, or behind a joint model's blocks."""
        if self.patch.picture_places:
            options = with_picture_layers(options, self.patch.picture_places)
        keys = [block.key for block in self.patch.blocks]
        if not keys:
            return options
        return wrap_layers(wrap_layers(options, keys, CrossAttentionLayer), keys, SelfAttentionLayer, "attn1")
