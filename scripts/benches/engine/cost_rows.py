"""Rows of what a cast costs: timed calls, extra memory, and counts of what the layers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from ....attention.recipes.recipe import RECIPES
from ...figures.samples import Samples
from ...figures.verdict import Figure, Row
from .counts import Counts, count, most
from .memory import adapter_figure, extra_figure
from .rigs import Shape, Workshop, device_name, has_device_clock
from .timing import clock, first_call_figure, ratio_figure, time_in_turns


@dataclass(frozen=True, eq=False)
class Timed:
    """Calls to be timed.

    people  : in the casts, one row each
    runs    : sampling runs of each row
    pairs   : of calls in each run
    bounds  : people -> what the ratio must not exceed
    control : also time the unpatched model against itself
    """

    shape: Shape
    people: tuple[int, ...]
    runs: int
    pairs: int
    bounds: Mapping[int, float] = field(default_factory=dict)
    control: bool = False

    @property
    def name(self) -> str:
        return f"{self.shape.structure.name} {self.shape.size} px on {device_name()}"


def timed_rows(case: Timed, workshop: Workshop, samples: Samples, status: Callable[[str], None]) -> Iterator[Row]:
    """Ratios and first calls of every recipe; both rows of a cast rest on the same calls."""

    def timed(name: str, people: int) -> dict[str, list[float]]:
        def measure() -> dict[str, list[float]]:
            rig = workshop.rig(case.shape)
            patched = rig.patched(RECIPES[name], people) if people else rig.model.clone()
            status(f"{case.name}: {name}, {people_in_words(people)}")
            seconds = clock(rig.model.load_device)
            return time_in_turns(
                case.shape.structure, rig.model, patched, case.shape.size, case.runs, case.pairs, seconds
            )

        return samples.get(f"{case.name}, {name}, {people}", measure)

    if case.control:
        yield Row(f"{case.name}, unpatched: a call against itself", "x", lambda: ratio_figure(timed("unpatched", 0)))
    for name in RECIPES:
        for people in case.people:
            cast = f"{case.name}, {name}, {people_in_words(people)}"

            def ratio(name: str = name, people: int = people) -> Figure:
                return ratio_figure(timed(name, people))

            def first(name: str = name, people: int = people) -> Figure:
                return first_call_figure(timed(name, people))

            yield Row(f"{cast}: a call against an unpatched one", "x", ratio, case.bounds.get(people))
            yield Row(f"{cast}: the first call of a run, beyond later ones", "s", first)


def memory_rows(case: Timed, workshop: Workshop, bound: float) -> Iterator[Row]:
    """Extra memory of every recipe where it can be read, and what the adapter itself takes."""
    if not has_device_clock():
        return
    for name in RECIPES:
        for people in case.people:

            def extra(name: str = name, people: int = people) -> Figure:
                rig = workshop.rig(case.shape)
                return extra_figure(rig, rig.patched(RECIPES[name], people))

            cast = f"{case.name}, {name}, {people_in_words(people)}"
            yield Row(f"{cast}: memory beyond an unpatched run's and the adapter's", "MB", extra, bound)
    yield Row(f"{case.name}: the adapter's weights", "MB", lambda: adapter_figure(workshop.rig(case.shape)))


def counted_rows(shape: Shape, workshop: Workshop, people: int) -> Iterator[Row]:
    """What the layers of every recipe do in later calls of a run, beyond the host's own."""
    rows = {
        "most attention calls in a layer": ("attention", 1),
        "most passes over scores in a layer, without attending": ("masses", None),
        "most waits for the device in a layer": ("waits", 0),
        "most waits for the device elsewhere in a call": ("waits_elsewhere", None),
        "most projections by the adapter in a later call": ("later_projections", 0),
    }

    @cache
    def counted(name: str) -> Counts:
        rig = workshop.rig(shape)
        return count(shape.structure, rig.model, rig.patched(RECIPES[name], people), rig.adapter, shape.size)

    for name in RECIPES:
        for says, (what, bound) in rows.items():

            def figure(name: str = name, what: str = what) -> Figure:
                return most(getattr(counted(name), what))

            cast = f"{shape.structure.name}'s layers, {name}, {people_in_words(people)}"
            yield Row(f"{cast}: {says}", "", figure, bound)


def people_in_words(people: int) -> str:
    """A count of people."""
    return "1 person" if people == 1 else f"{people} people"
