"""The inputs of Apply Cast (Advanced) that belong together, and what their values say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ...attention.recipes.recipe import (
    APART_IN,
    BACKGROUNDS,
    CROPS,
    LAYERS,
    ODDS,
    PLACES,
    TOKENS,
    Gate,
    Isolation,
    References,
    Routing,
)
from ...attention.routing.policies import APART, BOUND, CLOSED, FREE

MODEL_TOOLTIP = "A Stable Diffusion 1.5 or SDXL model, or FLUX.1, Kontext, FLUX.2 and like models. It is not changed."
ADAPTER_TOOLTIP = (
    "Used by members that bring none of their own. Left empty: the file that fits the model is found and named. FLUX "
    "and like models need none; FLUX.1 can have PuLID."
)
ROUTES = ("auto", CLOSED, BOUND, FREE, APART)
GATES = ("per identity", "joint", "released")
RANGES = ("whole picture", "own region")


def masked_inputs() -> list:
    """Of the mode `masked`."""
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


def gated_inputs() -> list:
    """Of the mode `gated`."""
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


def fraction(name: str, default: float, tooltip: str, later: bool = False) -> io.Float.Input:
    """A number in 0..1; `later` for one that saved prompts may not have, folded away."""
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip, optional=later, advanced=later or None
    )


def together_inputs() -> list:
    """What goes beyond identities in their regions: appended, so all of them optional."""
    return [
        fraction(
            "base", 0.2, "In the region of a member with an own prompt: how much the main prompt counts there.", True
        ),
        fraction(
            "eta", 1.0, "Self-attention between people: 1 as the model does it, 0 not at all, so that nothing spreads "
            "from one face to another.", True,
        ),
        fraction("eta_end", 0.6, "Where in the schedule people cease to be kept apart, so that light is shared.", True),
        io.Int.Input(
            "eta_cells", default=32, min=0, max=512, optional=True, advanced=True,
            tooltip="People are kept apart in layers of up to this many rows and columns of cells.",
        ),
        io.Combo.Input(
            "background", options=list(BACKGROUNDS), optional=True, advanced=True,
            tooltip="Where people are kept apart. shared: the background sees everybody. apart: it sees them as little "
            "as they see each other.",
        ),
        io.Float.Input(
            "references", default=0.0, min=0.0, max=10.0, step=0.1, optional=True, advanced=True,
            tooltip="How much a token of a person's photo counts beside the picture's own in self-attention; 0 leaves "
            "photos out. Needs the VAE, and one more call of the model in each of its steps.",
        ),
        io.Combo.Input(
            "reference_layers", options=list(LAYERS), optional=True, advanced=True,
            tooltip="decoder: the second half of the UNet, where looks are made. all: every layer.",
        ),
        io.Boolean.Input(
            "reference_style", default=False, optional=True, advanced=True,
            tooltip="Give photos the picture's mean in every layer, so that its style and light stay its own.",
        ),
        io.Int.Input(
            "reference_size", default=256, min=64, max=1024, step=64, optional=True, advanced=True,
            tooltip="Side of the photos in pixels, cut out around the face.",
        ),
        io.Boolean.Input(
            "reach", default=False, optional=True, advanced=True,
            tooltip="Let people also act inside ControlNets, in their regions.",
        ),
        fraction("margin", 0.0, "Room around boxes and ellipses, in parts of their size on each side.", True),
        io.Combo.Input(
            "apart_in", options=list(APART_IN), optional=True, advanced=True,
            tooltip="Where eta keeps people apart. self-attention: colours still spread through convolutions. "
            "everything: in convolutions, group norms and ControlNets too, so that at eta 0 nothing of one person "
            "reaches another. Give members prompts of their own then.",
        ),
        io.Vae.Input(
            "vae", optional=True,
            tooltip="The model's; needed by FLUX and like models, and where 'references' is above 0.",
        ),
        *routing_inputs(),
        fraction("boost_end", 0.0, "Gate 'released' only: up to this part of the schedule its boost acts, beside the "
                 "first 'boost_steps'. 0.06 is the 3 of 50 steps of DynamicID's code, however many steps you take.",
                 True),
    ]  # fmt: skip


def routing_inputs() -> list:
    """Of models whose one attention holds text, picture and photos: appended last."""
    return [
        io.Combo.Input(
            "routing", options=list(ROUTES), optional=True, advanced=True,
            tooltip="FLUX and like models: who sees whose photo and prompt. auto: closed. closed: only their own "
            "place, which sees the whole picture. bound: text still reads every photo. free: everybody sees "
            "everything. apart: nothing of one person reaches another's place.",
        ),
        fraction("apart_until", 0.0, "FLUX and like models: up to this part of the schedule 'routing' is apart.", True),
        io.Int.Input(
            "photo_size", default=512, min=256, max=1024, step=64, optional=True, advanced=True,
            tooltip="FLUX and like models: side of each photo in pixels. More shows more of a person and costs time.",
        ),
        io.Combo.Input(
            "photo_crop", options=list(CROPS), optional=True, advanced=True,
            tooltip="FLUX and like models: what of a photo is shown. bust: head and shoulders. head: the head. photo: "
            "all of it, for clothes and figure.",
        ),
        io.Combo.Input(
            "photo_place", options=list(PLACES), optional=True, advanced=True,
            tooltip="FLUX and like models: where photos lie for the model. in order: one behind the other. each first: "
            "everybody's where the first one lies, for models trained with one photo. auto: each first with FLUX.1 and "
            "Kontext, in order with the others.",
        ),
        io.Combo.Input(
            "photo_tokens", options=list(TOKENS), optional=True, advanced=True,
            tooltip="FLUX and like models: which parts of photos are read. all: everything. figure: head and body. "
            "face: the face alone. Less is faster and brings less of a photo's background and clothes along.",
        ),
    ]  # fmt: skip


def isolation_of(knobs: Mapping[str, Any]) -> Isolation:
    """How far people are kept apart, from the values of `together_inputs`."""
    usual = Isolation()
    return Isolation(
        eta=knobs.get("eta", usual.eta),
        end=knobs.get("eta_end", usual.end),
        cells=knobs.get("eta_cells", usual.cells),
        background=knobs.get("background", usual.background),
        apart_in=knobs.get("apart_in", usual.apart_in),
    )


def references_of(knobs: Mapping[str, Any]) -> References:
    """Self-attention to photos, from the values of `together_inputs`."""
    usual = References()
    return References(
        odds=knobs.get("references", usual.odds),
        layers=knobs.get("reference_layers", usual.layers),
        match_mean=knobs.get("reference_style", usual.match_mean),
        size=knobs.get("reference_size", usual.size),
    )


def gate_of(mode: Mapping[str, Any], boost_end: float = 0.0) -> Gate:
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
        boost_end=boost_end,
    )


def routing_of(knobs: Mapping[str, Any]) -> Routing:
    """Who sees whom in models of one attention, from the values of `routing_inputs`."""
    usual = Routing()
    chosen = knobs.get("routing", ROUTES[0])
    return Routing(
        policy=usual.policy if chosen == ROUTES[0] else chosen,
        apart_until=knobs.get("apart_until", usual.apart_until),
        size=knobs.get("photo_size", usual.size),
        crop=knobs.get("photo_crop", usual.crop),
        place=knobs.get("photo_place", usual.place),
        tokens=knobs.get("photo_tokens", usual.tokens),
    )
