"""Apply Cast (Advanced): every knob of the attention engine, with those that few need folded away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..attention.compositors import COMPOSITORS
from ..attention.gates import Gate
from ..attention.layer_strengths import parse_layer_strengths
from ..attention.recipes import ODDS, PHOTOS, Recipe
from .host.model_patch import patch_cast
from .types import Adapter, Cast

GATES = ("per identity", "joint", "released")
RANGES = ("whole picture", "own region")


def _masked_inputs() -> list:
    return [
        io.Float.Input(
            "odds",
            default=ODDS,
            min=0.0,
            max=100.0,
            step=0.5,
            tooltip="How many tokens of text one token of a person counts as, at strength 1. Adapters were trained "
            "beside the text, not in one softmax with it, so likeness often needs more than 1.",
        ),
        io.Boolean.Input(
            "literal",
            default=False,
            advanced=True,
            tooltip="Multiply logits by the mask, as the paper (InstantFamily) prints it. Masked people keep some "
            "weight and leak into each other: for study.",
        ),
    ]


def _gated_inputs() -> list:
    return [
        io.Combo.Input(
            "gate",
            options=list(GATES),
            tooltip="per identity: everybody has a gate of their own. joint: one gate from all of them. released: what "
            "DynamicID's code does, one gate and one softmax for all, with the boost below.",
        ),
        io.Combo.Input(
            "range",
            options=list(RANGES),
            tooltip="Where a gate's lowest and highest response are looked for. own region helps small faces.",
        ),
        _percentile("low", 0.0, "The percentile of responses that becomes 0; 2 keeps outliers from mattering."),
        _percentile("high", 100.0, "The percentile of responses that becomes 1."),
        io.Float.Input(
            "threshold", default=0.0, min=0.0, max=1.0, step=0.05, advanced=True,
            tooltip="Gates below it are closed. DynamicID's code uses 0.3.",
        ),
        io.Float.Input(
            "boost", default=0.0, min=0.0, max=20.0, step=0.5, advanced=True,
            tooltip="released only: added to the gate inside regions in the first steps, to form the layout. "
            "DynamicID's code uses 4.",
        ),
        io.Int.Input(
            "boost_steps", default=3, min=0, max=100, advanced=True, tooltip="released only: how many steps these are.",
        ),
    ]  # fmt: skip


def _percentile(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=100.0, step=1.0, advanced=True, tooltip=tooltip)


def _fraction(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)


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
                io.Model.Input("model", tooltip="A Stable Diffusion 1.5 or SDXL model. It is not changed."),
                Cast.Input("cast", tooltip="The members: from Cast Member."),
                Adapter.Input("adapter", optional=True, tooltip="Used by members that bring none of their own."),
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
                _fraction("start", 0.0, "Where in the schedule people begin to act; 0 is the first step."),
                _fraction("end", 1.0, "Where in the schedule people cease to act; 1 is the last step."),
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
                        io.DynamicCombo.Option("masked", _masked_inputs()),
                        io.DynamicCombo.Option("gated", _gated_inputs()),
                    ],
                    tooltip="decoupled: everybody has an attention of their own beside the text's. masked: one softmax "
                    "over text and people. gated: decoupled, times how strongly each point responds to the person.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model")],
        )  # fmt: skip

    @classmethod
    def execute(cls, model, cast, strength, adapter=None, mode=None, **knobs) -> io.NodeOutput:
        return io.NodeOutput(patch_cast(model, cast, adapter, recipe_of(knobs, mode or {}), strength))


def recipe_of(knobs: Mapping[str, Any], mode: Mapping[str, Any]) -> Recipe:
    """The recipe that a node's values say.

    knobs : compositor, start, end, feather, hard, layers, photos
    mode  : the values of the dynamic input "mode", itself included; what is missing has its default
    Raises ValueError for a schedule without a step, or for layer strengths that cannot be read.
    """
    if knobs["start"] >= knobs["end"]:
        raise ValueError(
            f"Troupe, Apply Cast (Advanced): people start at {knobs['start']:g} and end at {knobs['end']:g} of the "
            "schedule, so there is no step to act in. Set 'end' above 'start'."
        )
    return Recipe(
        mode.get("mode", "decoupled"),
        compositor=None if knobs["compositor"] == "auto" else knobs["compositor"],
        hard=knobs["hard"],
        feather=knobs["feather"],
        start=knobs["start"],
        end=knobs["end"],
        layers=parse_layer_strengths(knobs["layers"]),
        photos=knobs["photos"],
        odds=mode.get("odds", ODDS),
        literal=mode.get("literal", False),
        gate=gate_of(mode),
    )


def gate_of(mode: Mapping[str, Any]) -> Gate:
    """The gate that the values of "mode" say. Raises ValueError for percentiles in the wrong order."""
    low, high = mode.get("low", 0.0), mode.get("high", 100.0)
    if low >= high:
        raise ValueError(
            f"Troupe, Apply Cast (Advanced): the gate is 0 at percentile {low:g} and 1 at percentile {high:g}. "
            "Set 'high' above 'low'."
        )
    kind = mode.get("gate", GATES[0])
    return Gate(
        joint=kind == "joint",
        regional=mode.get("range", RANGES[0]) == "own region",
        low=low,
        high=high,
        threshold=mode.get("threshold", 0.0),
        released=kind == "released",
        boost=mode.get("boost", 0.0),
        boost_steps=mode.get("boost_steps", 3),
    )


NODES: list[type[io.ComfyNode]] = [ApplyCastAdvanced]
