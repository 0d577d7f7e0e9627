"""What adapters cost: SDXL's FaceID-plus-v2 and FLUX.1's PuLID from the file to keys and values, InstantID's calls.

The files have the published keys at full size, FaceID-plus-v2's LoRA included, filled with random numbers. Loading
and projecting for four people go through the nodes' own functions, each time in a process of its own; the model itself
is not made, only its layers are counted. Memory is what the process holds beyond what it held before, pages of the
mapped file included, sampled every few milliseconds; sizes are in megabytes of a million bytes. The file lies in the
disk's cache when it is read and loaded: what is compared is the work, not the disk.

For InstantID, calls of UNet and ControlNet in the steps of the host's own sampler are counted, with everybody in one
cast, and beside it with a ControlNet and a masked prompt for each person, as stock nodes have it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import chain

import torch

from ..benches import Settings
from ..figures.verdict import Figure, Row
from .engine.adapter_runs import FACEID, PULID_FLUX, AdapterRuns, adapter_runs
from .engine.counts import most
from .engine.instantid_calls import StepCalls, in_one_cast, one_by_one
from .engine.rigs import Shape, Workshop
from .engine.structures import SDXL

FILES = {f"{FACEID}{suffix}": f"SDXL FaceID-plus-v2 as {suffix}" for suffix in (".safetensors", ".bin")}
FILES[f"{PULID_FLUX}.safetensors"] = "FLUX.1 PuLID as .safetensors"
FINISHED_BOUND = 30.0  # MB
PEOPLE = 4
REPEATS = 5
COUNTS = (1, 2, 4)  # InstantID people
ROWS = 2  # of a call: the positive and the negative prompt of one picture


def rows(settings: Settings) -> list[Row]:
    """All rows."""
    return file_rows(settings) + call_rows(settings)


def call_rows(settings: Settings) -> list[Row]:
    """Calls per step with one InstantID person and several: the most of any step."""
    workshop = Workshop(settings.installation)
    shape = Shape(SDXL.narrow(), torch.float32, 128)

    @cache
    def calls(count: Callable, people: int) -> StepCalls:
        return count(workshop.rig(shape), people)

    def row(count: Callable, people: int, says: str, figure: Callable, bound: float | None = None) -> Row:
        name = f"SDXL InstantID, {people} {'people' if people > 1 else 'person'}, {says}"
        return Row(name, "", lambda: most(figure(calls(count, people))), bound)

    found = []
    for people in COUNTS:
        found += [
            row(in_one_cast, people, "one cast: UNet calls per step", lambda c: [len(step) for step in c.unet], 1),
            row(in_one_cast, people, "one cast: ControlNet calls per step", lambda c: [len(s) for s in c.control], 1),
            row(in_one_cast, people, "one cast: rows of a call", lambda c: list(chain(*c.unet, *c.control)), ROWS),
            row(one_by_one, people, "one by one: UNet calls per step", lambda c: [len(step) for step in c.unet]),
            row(one_by_one, people, "one by one: ControlNet calls per step", lambda c: [len(s) for s in c.control]),
        ]
    return found


def file_rows(settings: Settings) -> list[Row]:
    """What a file costs; each container is written, loaded and projected once for all of its rows."""
    repeats = 2 if settings.quick else REPEATS

    @cache
    def runs(file: str) -> AdapterRuns:
        settings.console.status(f"{file}: {PEOPLE} people")
        return adapter_runs(settings.installation, file, PEOPLE, repeats)

    def row(file: str, says: str, unit: str, figure: Callable, bound: float | None = None) -> Row:
        name = f"{FILES[file]}, {PEOPLE} people: {says}"
        return Row(name, unit, lambda: worst(figure(runs(file))), bound, least_samples=1)

    found = []
    for file in FILES:
        found += [
            row(file, "the file", "MB", lambda r: [r.file_bytes / 1e6]),
            row(file, "finished keys and values", "MB", lambda r: [r.kept_bytes / 1e6], FINISHED_BOUND),
            row(file, "rows projected by a second queue run", "", lambda r: r.later_rows, 0),
            row(file, "peak memory of loading and projecting, in sizes of the file", "x", memory),
            row(file, "memory that stays, in sizes of the file", "x", lambda r: ratio(r.after, r)),
            row(file, "time to load, in times of reading the file's bytes", "x", load_ratio),
            row(file, "time to load", "s", lambda r: r.load),
            row(file, "time of the first run to make keys and values", "s", lambda r: r.first),
            row(file, "time of a later run to have them", "s", lambda r: r.later),
        ]
    return found


def memory(runs: AdapterRuns) -> list[float]:
    """Peaks in sizes of the file."""
    return ratio(runs.peak, runs)


def ratio(sizes: list[float], runs: AdapterRuns) -> list[float]:
    """Bytes in sizes of the file."""
    return [size / runs.file_bytes for size in sizes]


def load_ratio(runs: AdapterRuns) -> list[float]:
    """Times to load over the time that reading the bytes took just before."""
    return [load / read for load, read in zip(runs.load, runs.read, strict=True)]


def worst(values: list[float]) -> Figure:
    """The middle of the samples with their whole range."""
    ordered = sorted(values)
    return Figure(ordered[len(ordered) // 2], ordered[0], ordered[-1], len(ordered))
