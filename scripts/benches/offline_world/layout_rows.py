"""Rows of the bench `layout`: people in regions, rendered exactly, with regions alone and with Depth Layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .bounds import enough_for
from .layout_scores import FIELDS, LISTS, ap_figure, layout_scores
from .placed import picture_of, placed_people, rendered_picture
from .ratios import pooled_figure
from .workbench import Workbench

SEED, TUNING_SEED = 7_600_001, 7_700_001
PEOPLE = (2, 3, 4)
TUNED_WITH = 3  # people
STRENGTHS = (1.0, 1.5, 2.0, 2.67)
RENDERED, ALONE, LAYOUT = "rendered in the regions (what the judge can see)", "regions alone", "with Depth Layout"
LEAST = 20  # pictures before a mean decides anything


@dataclass
class LayoutBench:
    """The workbench, and how many pictures of each number of people are drawn and tuned on."""

    bench: Workbench
    pictures: int
    tuning: int

    def scores(self, way: str, people: int) -> Values:
        """Scores by picture, of drawn ones at the way's best strength."""
        strength = 0.0 if way == RENDERED else self.best_strength(way)
        return self._get(f"{way}, {people}", way, people, strength, self.pictures, SEED)

    def best_strength(self, way: str) -> float:
        """The strength that puts most of the right people into their regions, on seeds that no row is measured on.

        Of equals, the one with the highest similarity to oneself.
        """
        tuned = []
        for strength in STRENGTHS:
            values = self._get(f"tuning {way} at {strength}", way, TUNED_WITH, strength, self.tuning, TUNING_SEED)
            tuned.append((float(np.mean(values["right_place"])), float(np.mean(values["own"])), strength))
        return max(tuned)[2]

    def pooled(self, way: str) -> Values:
        """The scores of every number of people together, pictures numbered through."""
        together: Values = {name: [] for name in (*FIELDS, *LISTS)}
        for values in (self.scores(way, people) for people in PEOPLE):
            before = len(together["regions"])
            for name in together:
                shift = before if name == "picture" else 0.0
                together[name] += [value + shift for value in values[name]]
        return together

    def _get(self, name: str, way: str, people: int, strength: float, count: int, seed: int) -> Values:
        bench = self.bench

        def measure() -> Values:
            values: Values = {field: [] for field in (*FIELDS, *LISTS)}
            cases = placed_people(people, count, seed + people, bench.engine, bench.size)
            for number, placed in enumerate(cases):
                bench.status(f"{name}: {number} of {count} pictures")
                if way == RENDERED:
                    picture = rendered_picture(placed, seed + number, bench.size)
                else:
                    picture = picture_of(bench.host, placed, strength, seed + number, bench.size, way == LAYOUT)
                for field, more in layout_scores(bench.scorer, picture, placed, number).items():
                    values[field] += more
            return values

        return bench.samples.get(name, measure)


def layout_rows(layout: LayoutBench) -> list[Row]:
    """All rows."""
    bounds = layout.bench.bounds
    rows = pooled_rows(layout, RENDERED)
    for way in (ALONE, LAYOUT):
        bound = bounds.in_region if way == LAYOUT else None
        rows.append(_row(f"{way}: best strength", lambda way=way: _strength(layout, way)))
        for people in PEOPLE:
            rows += [
                _share(layout, way, people, "in_region", "a face in the region", bound),
                _share(layout, way, people, "right_place", "the right person's face in the region"),
            ]
        rows += pooled_rows(layout, way, bounds.in_order if way == LAYOUT else None)
        rows.append(_row(f"{way}, 2 to 4 people: similarity to oneself", _of(layout, way, _mean("own"))))
    return rows


def pooled_rows(layout: LayoutBench, way: str, in_order: float | None = None) -> list[Row]:
    """Rows over two to four people together."""
    name = f"{way}, 2 to 4 people"
    return [
        _row(f"{name}: mean IoU of bodies with regions", _of(layout, way, _mean("iou"))),
        _row(f"{name}: AP50 of bodies", _of(layout, way, ap_figure)),
        _row(f"{name}: nearer person in front where two overlap", _of(layout, way, _ordered), in_order),
    ]


def _of(layout: LayoutBench, way: str, measure: Callable[[Values], Figure]) -> Callable[[], Figure]:
    return lambda: measure(layout.pooled(way))


def _mean(field: str) -> Callable[[Values], Figure]:
    return lambda values: bootstrap_figure(values[field])


def _ordered(values: Values) -> Figure:
    """Over the pictures in which two people overlap at all."""
    pairs = [(right, of) for right, of in zip(values["in_order"], values["pairs"], strict=True) if of]
    return pooled_figure([right for right, _ in pairs], [of for _, of in pairs])


def _row(name: str, measure: Callable[[], Figure], bound: float | None = None) -> Row:
    return Row(name, "", measure, bound, False, LEAST if bound is None else max(LEAST, enough_for(bound)))


def _share(layout: LayoutBench, way: str, people: int, field: str, says: str, bound: float | None = None) -> Row:
    return _row(f"{way}, {people} people: {says}", lambda: bootstrap_figure(layout.scores(way, people)[field]), bound)


def _strength(layout: LayoutBench, way: str) -> Figure:
    strength = layout.best_strength(way)
    return Figure(strength, strength, strength, layout.tuning)
