"""What a cast costs: a patched model call against an unpatched one, in turns, and what the patched layers do.

UNets are ComfyUI's own in the real shapes of SD1.5 and SDXL, with random weights, called by the host's own sampling
code with all of its wrappers: a call is one evaluation of a picture's positive and negative rows. People have 16 tokens
each and stand side by side in equal strips. On a CPU it is process time (SD1.5 in float32 at 256 px; without --quick
and where memory allows also SDXL in bfloat16), on an accelerator the time between device events (SDXL in float16 at
1024 px) and the memory beyond that of an unpatched run. An accelerator is used where there is one; hide it to measure
the CPU. Ratios are medians over pairs of calls, with intervals that hold whatever the distribution. The first call of a
run makes everybody's keys and values and has a row of its own. Counts are taken on the same layers a tenth as wide.
What a recipe may add (people kept apart in self-attention, local prompts, attention to photos) is timed with two
people, beside its arithmetic. Of models of one attention, one attention and one block of FLUX.1's width are timed,
routed and not (`bench.py joint` measures these rows alone).
Before all of these stands what masks of regions cost on the CPU, against those of boxes.
"""

from __future__ import annotations

import psutil
import torch

from ..benches import Settings
from ..figures.samples import Samples
from ..figures.verdict import Row
from .engine.cost_rows import Timed, counted_rows, memory_rows, timed_rows
from .engine.part_rows import part_rows
from .engine.picture_people import counted_row, people_rows
from .engine.region_rows import region_rows
from .engine.rigs import Shape, Workshop, has_device_clock
from .engine.routing_costs import speed_rows
from .engine.structures import SD15, SDXL

CPU_BOUNDS = {1: 1.03, 8: 1.06}
ACCELERATOR_BOUNDS = {1: 1.05, 8: 1.13}
MEMORY_BOUND = 180.0  # MB
SDXL_NEEDS = 12e9  # bytes of free memory for SDXL in bfloat16 on a CPU: its weights are half of that
MOST_PEOPLE = 8


def rows(settings: Settings) -> list[Row]:
    """All rows; a model is made when a row first needs it."""
    samples = Samples(settings.places.home / "bench" / "speed-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    workshop, found = Workshop(settings.installation), [*region_rows()]
    for case in timed_cases(settings.quick):
        found += timed_rows(case, workshop, samples, settings.console.status)
        found += part_rows(case, workshop, samples, settings.console.status)
        found += memory_rows(case, workshop, MEMORY_BOUND)
    found += speed_rows(workshop, samples, settings.quick, settings.console.status)
    found += [*people_rows(samples, settings.quick, settings.console.status), counted_row(workshop)]
    for structure in (SD15, SDXL):
        shape = Shape(structure.narrow(), torch.float16 if has_device_clock() else torch.float32, 256)
        found += counted_rows(shape, workshop, MOST_PEOPLE)
    return found


def timed_cases(quick: bool) -> list[Timed]:
    """What is timed on this machine."""
    people = (1, MOST_PEOPLE) if quick else (1, 2, 4, MOST_PEOPLE)
    if has_device_clock():
        runs, pairs = (3, 10) if quick else (5, 20)
        return [Timed(Shape(SDXL, torch.float16, 1024), people, runs, pairs, ACCELERATOR_BOUNDS, control=True)]
    runs, pairs = (2, 3) if quick else (5, 6)
    cases = [Timed(Shape(SD15, torch.float32, 256), people, runs, pairs, CPU_BOUNDS, control=not quick)]
    if not quick and psutil.virtual_memory().available > SDXL_NEEDS:
        cases.append(Timed(Shape(SDXL, torch.bfloat16, 256), (1, MOST_PEOPLE), 3, 4))
    return cases
