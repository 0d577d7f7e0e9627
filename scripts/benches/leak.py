"""How far an identity acts outside of its region: one person of a cast is swapped, and the change looked at.

In single layers of UNets in the structures of SD1.5 and SDXL, a tenth as wide, with random weights: the share of the
energy of a layer's change that lies in cells the person's box does not touch, when all layers get the same queries in
both calls; a hard region promises exactly 0. And in pictures of the offline world after ten steps of KSampler, where
self-attention and convolutions carry everything everywhere: the share of the energy of the latent's change in the
other person's half, also with people kept apart in self-attention or in everything. Every mode runs at strength 1. As
a comparison, everybody acts on the whole picture, edges are feathered, and logits are multiplied by masks to the letter
of the paper. In tiny random FLUX.1, FLUX.2 and Qwen-Image models, whose one attention is routed, the change outside the
person's region after four steps: exactly 0 where people are apart, and in the order of the policies elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch

from ...attention.recipes.cast import Cast
from ...attention.recipes.recipe import RECIPES, Isolation, Recipe
from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.intervals import bootstrap_figure
from ..figures.samples import Samples
from ..figures.verdict import Figure, Row
from .engine.joint_rows import leak_rows
from .engine.latent_leak import EVERYTHING_APART, EVERYWHERE, STEPS, changes
from .engine.layer_leak import everywhere, hard_boxes, leak_figure
from .engine.rigs import Shape, Workshop, has_device_clock
from .engine.structures import SD15, SDXL
from .offline_world.ratios import paired_share_figure
from .offline_world.workbench import FULL, QUICK, Workbench

PIXELS = 256
FEATHER = 0.05  # of the picture's shorter side
LEAST_PICTURES = 10
LEAK_LEFT = 1 / 3


def rows(settings: Settings) -> list[Row]:
    """All rows."""
    samples = Samples(settings.places.home / "bench" / "leak-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    workshop = Workshop(settings.installation)
    amounts = QUICK if settings.quick else FULL
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, amounts, samples, settings.console.status)
    dtype = torch.float16 if has_device_clock() else torch.float32
    shapes = [Shape(structure.narrow(), dtype, PIXELS) for structure in (SD15, SDXL)]
    in_layers = [row for shape in shapes for row in layer_rows(shape, workshop, RECIPES)]
    count = 12 if settings.quick else 60
    in_layers += leak_rows(workshop, settings.quick)
    return [*in_layers, *latent_rows(bench, RECIPES, count), *isolation_rows(bench, count)]


def layer_rows(shape: Shape, workshop: Workshop, recipes: Mapping[str, Recipe]) -> Iterator[Row]:
    """Three people in boxes, each swapped in turn; the layer that leaks most."""
    name = f"{shape.structure.name}'s layers"
    for mode, recipe in recipes.items():

        def leak(recipe: Recipe = recipe) -> Figure:
            return leak_figure(workshop.rig(shape), recipe, hard_boxes())

        yield Row(f"{name}, {mode}: largest share of a change outside its box", "", leak, bound=0.0)
    for mode, (recipe, cast) in comparisons().items():

        def compared(recipe: Recipe = recipe, cast: Cast = cast) -> Figure:
            return leak_figure(workshop.rig(shape), recipe, cast)

        yield Row(f"{name}, {mode}: largest share of a change outside its box", "", compared)


def comparisons() -> dict[str, tuple[Recipe, Cast]]:
    """What is meant to reach further than its box."""
    return {
        "masked, logits multiplied as published": (Recipe("masked", literal=True), hard_boxes()),
        f"decoupled, feathered by {FEATHER}": (Recipe("decoupled", feather=FEATHER), hard_boxes()),
        "everybody everywhere": (EVERYWHERE, everywhere()),
    }


def latent_rows(bench: Workbench, recipes: Mapping[str, Recipe], count: int) -> Iterator[Row]:
    """Two people in halves, one of them swapped."""
    for mode, recipe in {**recipes, "everybody everywhere": EVERYWHERE}.items():
        for says, field in {"outside its half": "outside", "over the latent itself, root of energies": "size"}.items():

            def measure(mode: str = mode, recipe: Recipe = recipe, field: str = field) -> Figure:
                return bootstrap_figure(changes(bench, mode, recipe, count)[field])

            name = f"two people, {mode}, {STEPS} steps: the latent's change {says}"
            yield Row(name, "", measure, least_samples=LEAST_PICTURES)


ISOLATED = {
    "people kept apart in everything, at every step in every layer": EVERYTHING_APART,
    "people kept apart in self-attention, at every step in every layer": replace(
        EVERYTHING_APART, apart_in="self-attention"
    ),
    "people kept apart in self-attention as Isolation has it by default": Isolation(eta=0.0),
}
"""What is compared with `decoupled` alone; the first one is what a bound is set on."""


def isolation_rows(bench: Workbench, count: int) -> Iterator[Row]:
    """How much of the leak of `decoupled` is left when people are kept apart, of the same pictures."""
    alone = RECIPES["decoupled"]
    for (name, isolation), bound in zip(ISOLATED.items(), (LEAK_LEFT, None, None), strict=True):
        isolated = replace(alone, isolation=isolation)

        def left(name: str = name, isolated: Recipe = isolated) -> Figure:
            plain = changes(bench, "decoupled", alone, count)["outside"]
            return paired_share_figure(changes(bench, name, isolated, count)["outside"], plain)

        def outside(name: str = name, isolated: Recipe = isolated) -> Figure:
            return bootstrap_figure(changes(bench, name, isolated, count)["outside"])

        says = f"two people, decoupled, {name}, {STEPS} steps"
        yield Row(f"{says}: the latent's change outside its half", "", outside, least_samples=LEAST_PICTURES)
        yield Row(f"{says}: of the leak without, what is left", "", left, bound, least_samples=LEAST_PICTURES)
