"""Rows of the bench `recipes`: every recipe beside the others for one to six people, Troupe's bounds, ablations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .bounds import enough_for
from .members import Way
from .ratios import paired_share_figure, share_figure
from .recipe_company import LESS, REFINED, WAYS, RecipeBench

PEOPLE = range(1, 7)
FIELDS = {
    "right_place": "right place",
    "own": "similarity to oneself",
    "other": "similarity to the others",
    "counted": "people counted right",
    "shirt": "prompted shirt seen",
    "expression": "prompted expression seen",
    "look": "prompted look seen",
    "margin": "own prompt over the others'",
}
OF_COMPANY = {"other", "margin"}  # nobody is alone with others
LEAST = 20  # pictures before a mean decides anything


def recipe_rows(bench: RecipeBench) -> list[Row]:
    """All rows."""
    return [*bounded_rows(bench), *compared_rows(bench), *ablation_rows(bench)]


def bounded_rows(bench: RecipeBench) -> list[Row]:
    """What Troupe's own recipe promises, alone and with a second pass."""
    return [row for way in (WAYS["Troupe"], REFINED) for row in _promises(bench, way)]


def _promises(bench: RecipeBench, way: Way) -> list[Row]:
    def row(name: str, figure: Callable[[], Figure], bound: float, at_most: bool = False, least: int = LEAST) -> Row:
        return Row(f"recipe {way.name}, {name}", "", figure, bound, at_most, least)

    def mean(people: int, field: str) -> Callable[[], Figure]:
        return lambda: mean_figure(bench.promised(way, people), field)

    def of_alone() -> Figure:
        return share_figure(bench.promised(way, 2)["own"], bench.promised(way, 1)["own"])

    def of_unpatched() -> Figure:
        return paired_share_figure(bench.promised(way, 2)["prompted"], bench.promised(None, 2)["prompted"])

    return [
        row("2 people: right place", mean(2, "right_place"), 0.97, least=enough_for(0.97)),
        row("2 people: own similarity as a share of one person's", of_alone, 0.95),
        row("2 people: similarity to the other", mean(2, "other"), 0.04, at_most=True),
        row("2 people: prompted shirt, expression and look seen, as a share of unpatched", of_unpatched, 0.95),
        row("5 people: right place", mean(5, "right_place"), 0.90, least=enough_for(0.90)),
    ]


def compared_rows(bench: RecipeBench) -> Iterator[Row]:
    """Every recipe, and the unpatched model, at its own best strength."""
    for people in (1, 2):
        for way in WAYS.values():
            yield Row(name_of(way, people, "best strength"), "", _strength(bench, way, people))
    for field, says in FIELDS.items():
        for people in PEOPLE:
            if people == 1 and field in OF_COMPANY:
                continue
            for way in (None, *WAYS.values()):

                def measure(way: Way | None = way, people: int = people, field: str = field) -> Figure:
                    return mean_figure(bench.of(way, people), field)

                yield Row(name_of(way, people, says), "", measure, None, False, LEAST)


def ablation_rows(bench: RecipeBench) -> Iterator[Row]:
    """What each recipe loses of two people without one of its parts."""
    for name in LESS:
        for field, says in FIELDS.items():

            def measure(name: str = name, field: str = field) -> Figure:
                return mean_figure(bench.without(name), field)

            yield Row(f"ablations: {name}, 2, {says}", "", measure, None, False, LEAST)


def mean_figure(values: Values, field: str) -> Figure:
    """The mean of a field over pictures; NaN of none."""
    found = values[field]
    return bootstrap_figure(found) if found else Figure(math.nan, math.nan, math.nan, 0)


def name_of(way: Way | None, people: int, says: str) -> str:
    """What a row is called; scripts/showing/recipe_tables.py makes tables of such rows."""
    return f"recipes: {way.name if way else 'unpatched'}, {people}, {says}"


def _strength(bench: RecipeBench, way: Way, people: int) -> Callable[[], Figure]:
    def measure() -> Figure:
        strength = bench.best_strength(way, people)
        return Figure(strength, strength, strength, bench.scenes.tuning)

    return measure
