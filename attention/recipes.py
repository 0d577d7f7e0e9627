"""The named ways to bring a cast into a picture, and every knob that they set."""

from __future__ import annotations

from dataclasses import dataclass, field

from .gates import Gate
from .layer_strengths import LayerStrengths

# How many tokens of text a token of a person counts as at strength 1. Adapters were trained beside the text, not in one
# softmax with it, so 1 is weak; the likeness of two people in the demo world still grows up to twice this.
ODDS = 16.0
PHOTOS = ("average", "one per picture")


@dataclass(frozen=True)
class Recipe:
    """What a recipe sets.

    mode       : "decoupled": every identity has a softmax of its own (attention.decoupled)
                 "masked": one softmax over the text and all identities (attention.masked)
                 "gated": decoupled, scaled by how strongly each query responds (attention.gated)
    compositor : a name from attention.compositors, or None for the one that suits the regions' shapes
    hard       : whether a cell belongs to a region wholly or not at all
    feather    : blur of the regions' edges, in parts of the picture's shorter side (attention.feathering)
    start, end : the part of the schedule in which identities act, in fractions from its begin
    layers     : strengths of single layers
    photos     : "average": a person is the mean direction of their photos; "one per picture": the pictures of a batch
                 take turns with the photos
    odds       : in masked mode, how many tokens of text one token of an identity counts as, at strength 1
    literal    : in masked mode, multiply logits by masks as published, instead of adding -inf
    gate       : in gated mode
    """

    mode: str
    compositor: str | None = None
    hard: bool = False
    feather: float = 0.0
    start: float = 0.0
    end: float = 1.0
    layers: LayerStrengths = field(default_factory=LayerStrengths)
    photos: str = "average"
    odds: float = 1.0
    literal: bool = False
    gate: Gate = field(default_factory=Gate)

    @property
    def merges(self) -> bool:
        """Whether members with the same tokens may be one: not where each has a gate or a mask of its own."""
        return self.mode == "decoupled" or (self.mode == "masked" and not self.literal)


RECIPES = {
    "decoupled": Recipe("decoupled"),
    "masked": Recipe("masked", odds=ODDS),
    "gated": Recipe("gated"),
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; ValueError with the names there are."""
    if name not in RECIPES:
        raise ValueError(f"Troupe: there is no recipe '{name}'. Choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
