"""Everything that wants an accelerator, in one command: cost, memory and exactness in half precision.

SDXL at 1024 px in float16, two rows a call, one to eight people in every mode: time against an unpatched call and
memory beyond its. One attention and one whole block of FLUX.1's width in bfloat16, routed and not, up to 12.8k tokens
and more, and what people of PuLID add behind such a block. And that nothing leaks in float16 and bfloat16: in single
layers of narrow UNets, and in tiny FLUX.1, FLUX.2 and Qwen-Image models apart. Meant for eight minutes of one
data-centre GPU; what is finished is kept, so a run that was cut off goes on. Without an accelerator the same rows are
made on the CPU in a small form, so that the first run on one is no first run.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...attention.recipes.recipe import RECIPES
from ..benches import Settings
from ..figures.samples import Samples
from ..figures.verdict import Figure, Row
from .engine.cost_rows import Timed, memory_rows, timed_rows
from .engine.counts import most
from .engine.joint_rows import FAMILIES, leak_of
from .engine.layer_leak import hard_boxes, leak_figure
from .engine.picture_people import people_rows
from .engine.rigs import Shape, Workshop, device_name, has_device_clock
from .engine.routing_costs import speed_rows
from .engine.structures import SD15, SDXL
from .speed import ACCELERATOR_BOUNDS, MEMORY_BOUND

HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
PEOPLE = (1, 2, 4, 8)


def rows(settings: Settings) -> list[Row]:
    """All rows; those that say most come first."""
    samples = Samples(settings.places.home / "bench" / "accelerator-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    workshop, small = Workshop(settings.installation), settings.quick or not has_device_clock()
    found = list(speed_rows(workshop, samples, small, settings.console.status))
    found += people_rows(samples, small, settings.console.status)
    for dtype in HALVES:
        found += half_rows(workshop, dtype)
    case = timed_case(small)
    found += timed_rows(case, workshop, samples, settings.console.status)
    return [*found, *memory_rows(case, workshop, MEMORY_BOUND)]


def timed_case(small: bool) -> Timed:
    """Calls of SDXL, or of a UNet in its structure a tenth as wide."""
    if has_device_clock():
        runs, pairs = (2, 6) if small else (3, 10)
        return Timed(Shape(SDXL, torch.float16, 1024), PEOPLE, runs, pairs, ACCELERATOR_BOUNDS, control=True)
    return Timed(Shape(SDXL.narrow(), torch.float32, 128), (1, 2), 2, 3, control=True)


def half_rows(workshop: Workshop, name: str) -> Iterator[Row]:
    """What is found of a person outside of their region in half precision: nothing."""
    dtype = HALVES[name]
    for shape in [Shape(structure.narrow(), dtype, 256) for structure in (SD15, SDXL)]:
        for mode, recipe in RECIPES.items():

            def layers(shape: Shape = shape, recipe=recipe) -> Figure:
                return leak_figure(workshop.rig(shape), recipe, hard_boxes())

            says = f"{shape.structure.name}'s layers in {name} on {device_name()}, {mode}"
            yield Row(f"{says}: largest share of a change outside its box", "", layers, bound=0.0)
    for family in FAMILIES:

        def apart(family: str = family) -> Figure:
            cases = [(people, cfg, photo) for people, cfg in ((2, 3.0), (5, 1.0)) for photo in (True, False)]
            return most([leak_of(workshop, family, "apart", *case, dtype)[0] for case in cases])

        says = f"{family} in {name} on {device_name()}, apart"
        yield Row(f"{says}: largest change outside the region, photo or prompt", "", apart, bound=0.0)
