"""Apply Cast (Advanced): every knob of the attention engine, with those that few need folded away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io, ui

from ...attention.recipes.layer_strengths import parse_layer_strengths
from ...attention.recipes.recipe import ODDS, PHOTOS, Recipe
from ...attention.regions.compositors import COMPOSITORS
from ..host.cast.chosen_adapter import adapter_for
from ..host.cast.model_patch import patch_cast
from ..types import Adapter, Cast
from .advanced_inputs import (
    ADAPTER_TOOLTIP,
    MODEL_TOOLTIP,
    fraction,
    gate_of,
    gated_inputs,
    isolation_of,
    masked_inputs,
    references_of,
    routing_of,
    together_inputs,
)


class ApplyCastAdvanced(io.ComfyNode):
    """Patch a model so that each member of a cast appears in their own region, with every knob."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Troupe_ApplyCastAdvanced",
            display_name="Apply Cast (Advanced)",
            category="Troupe",
            description="Draw each member of the cast inside their own region, with every knob of the attention.",
            search_aliases=["multi identity", "masked attention", "gated attention", "regional ipadapter"],
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TOOLTIP),
                Cast.Input("cast", tooltip="The members: from Cast Member."),
                Adapter.Input("adapter", optional=True, tooltip=ADAPTER_TOOLTIP),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=3.0, step=0.05,
                    tooltip="Multiplies every member's strength. 0 leaves the model as it is.",
                ),
                io.Combo.Input(
                    "compositor",
                    options=["auto", *COMPOSITORS],
                    tooltip="Who gets a pixel that several regions claim. auto: priority, for painted ones normalise. "
                    "priority: the first in the cast stands in front. depth: the smallest order stands in "
                    "front. normalise: they share it. sum: all of them in full.",
                ),
                fraction("start", 0.0, "Where in the schedule people begin to act; 0 is the first step."),
                fraction("end", 1.0, "Where in the schedule people cease to act; 1 is the last step."),
                io.Float.Input(
                    "feather", default=0.0, min=0.0, max=0.25, step=0.005, advanced=True,
                    tooltip="Blur of the regions' edges, in parts of the picture's shorter side. 0.02 is gentle.",
                ),
                io.Boolean.Input(
                    "hard", default=False, advanced=True,
                    tooltip="Give every cell of a layer to a region wholly or not at all.",
                ),
                io.String.Input(
                    "layers", default="", advanced=True,
                    tooltip="Strengths of single layers, for example: input: 0.5, middle: 0, output 3-5: 1.2",
                ),
                io.Combo.Input(
                    "photos", options=list(PHOTOS), advanced=True,
                    tooltip="average: a person is the mean of their photos. one per picture: the pictures of a batch "
                    "take turns with the photos. concatenate: all photos act together; for FaceID portrait files.",
                ),
                io.DynamicCombo.Input(
                    "mode",
                    options=[
                        io.DynamicCombo.Option("decoupled", []),
                        io.DynamicCombo.Option("masked", masked_inputs()),
                        io.DynamicCombo.Option("gated", gated_inputs()),
                    ],
                    tooltip="decoupled: everybody has an attention of their own beside the text's. masked: one softmax "
                    "over text and people. gated: decoupled, times how strongly each point responds to the person.",
                ),
                *together_inputs(),
            ],
            outputs=[io.Model.Output(display_name="model")],
        )  # fmt: skip

    @classmethod
    def execute(cls, model, cast, strength, adapter=None, mode=None, vae=None, **knobs) -> io.NodeOutput:
        recipe = recipe_of(knobs, mode or {})
        found = adapter_for(model, cast, adapter, recipe, strength, vae)
        patched = patch_cast(model, cast, found.adapter, recipe, strength, vae)
        return io.NodeOutput(patched, ui=ui.PreviewText("\n".join(found.lines)) if found.lines else None)


def recipe_of(knobs: Mapping[str, Any], mode: Mapping[str, Any]) -> Recipe:
    """The recipe that a node's values say.

    knobs : compositor, start, end, feather, hard, layers, photos, and those of `together_inputs`
    mode  : the values of the dynamic input "mode", itself included; what is missing has its default
    Raises ValueError for a schedule without a step, or for layer strengths that cannot be read.
    """
    if knobs["start"] >= knobs["end"]:
        raise ValueError(
            f"Troupe, Apply Cast (Advanced): people start at {knobs['start']:g} and end at {knobs['end']:g} of the "
            "schedule, so there is no step to act in. Set 'end' above 'start'."
        )
    kind = mode.get("mode", "decoupled")
    return Recipe(
        kind,
        compositor=None if knobs["compositor"] == "auto" else knobs["compositor"],
        hard=knobs["hard"],
        feather=knobs["feather"],
        start=knobs["start"],
        end=knobs["end"],
        layers=parse_layer_strengths(knobs["layers"]),
        photos=knobs["photos"],
        odds=mode.get("odds", ODDS),
        literal=mode.get("literal", False),
        gate=gate_of(mode, knobs.get("boost_end", 0.0)),
        base=knobs.get("base", 0.2),
        margin=knobs.get("margin", 0.0),
        isolation=isolation_of(knobs),
        references=references_of(knobs),
        reach=knobs.get("reach", False),
        routing=routing_of(knobs) if kind == "decoupled" else None,
    )


NODES: list[type[io.ComfyNode]] = [ApplyCastAdvanced]
