"""Rows of the bench `layout`: the finder of bodies on rendered pictures, and people placed in regions in two ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....demo.renderer import render
from ....demo.scenes import random_scenes
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .bodies import find_body
from .bounds import enough_for
from .layout_scores import FIELDS, HALF, LISTS, ap_figure, layout_scores
from .people import as_picture, generator_of
from .placed import picture_of, placed_people
from .ratios import pooled_figure
from .rendered import overlap, true_faces
from .workbench import Workbench

SEED, TUNING_SEED, RENDERED_SEED = 7_600_001, 7_700_001, 7_800_001
PEOPLE = (2, 3, 4)
TUNED_WITH = 3  # people
STRENGTHS = (0.6, 0.9, 1.2, 1.6)
WAYS = {False: "regions alone", True: "with Depth Layout"}
LEAST = 20  # pictures before a mean decides anything


@dataclass
class LayoutBench:
    """The workbench, and how many pictures of each number of people are drawn, tuned on and rendered."""

    bench: Workbench
    pictures: int
    tuning: int
    scenes: int

    def drawn(self, with_layout: bool, people: int) -> Values:
        """Scores by picture at the way's best strength."""
        name = f"{WAYS[with_layout]}, {people}"
        strength = self.best_strength(with_layout)
        return self._get(name, with_layout, people, strength, self.pictures, SEED)

    def best_strength(self, with_layout: bool) -> float:
        """The strength with the highest similarity to oneself, on seeds that no row is measured on."""
        own = []
        for strength in STRENGTHS:
            name = f"tuning {WAYS[with_layout]} at {strength}"
            values = self._get(name, with_layout, TUNED_WITH, strength, self.tuning, TUNING_SEED)
            own.append(np.mean(values["own"]))
        return STRENGTHS[int(np.argmax(own))]

    def pooled(self, with_layout: bool) -> Values:
        """The scores of every number of people together, pictures numbered through."""
        together: Values = {name: [] for name in (*FIELDS, *LISTS)}
        for values in (self.drawn(with_layout, people) for people in PEOPLE):
            before = len(together["regions"])
            for name in together:
                shift = before if name == "picture" else 0.0
                together[name] += [value + shift for value in values[name]]
        return together

    def found_bodies(self) -> Values:
        """By rendered person whose face was found: overlap of the body that is found with the one that is seen."""
        return self.bench.samples.get("bodies", lambda: rendered_bodies(self.bench, self.scenes))

    def _get(self, name: str, with_layout: bool, people: int, strength: float, count: int, seed: int) -> Values:
        def draw() -> Values:
            values: Values = {field: [] for field in (*FIELDS, *LISTS)}
            cases = placed_people(people, count, seed + people, self.bench.engine, self.bench.size)
            for number, placed in enumerate(cases):
                self.bench.status(f"{name}: {number} of {count} pictures")
                picture = picture_of(self.bench.host, placed, strength, seed + number, self.bench.size, with_layout)
                for field, more in layout_scores(self.bench.scorer, picture, placed, number).items():
                    values[field] += more
            return values

        return self.bench.samples.get(name, draw)


def rendered_bodies(bench: Workbench, scenes: int) -> Values:
    """Overlap of found bodies with those that are seen on rendered pictures of two to four people."""
    values: Values = {"iou": []}
    generator = generator_of(RENDERED_SEED)
    for number in range(scenes):
        scene = random_scenes(1, PEOPLE[number % len(PEOPLE)], generator, props=0.0)
        drawn = render(scene, bench.size)
        picture = as_picture(drawn.picture[0])
        truth, _, figures = true_faces(drawn, scene, bench.size)
        for face in bench.scorer.detect(picture):
            fits = overlap(face.bbox[None], truth)[0]
            if fits.max(initial=0) >= HALF:
                rows, columns = (drawn.mask[0, figures[fits.argmax()]].numpy() >= HALF).nonzero()
                seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
                values["iou"].append(float(overlap(find_body(picture, face.bbox).box[None], seen)[0, 0]))
    return values


def layout_rows(layout: LayoutBench) -> list[Row]:
    """All rows."""
    bounds = layout.bench.bounds
    rows = [
        _row(
            "judge: mean IoU of found bodies with rendered ones", lambda: bootstrap_figure(layout.found_bodies()["iou"])
        )
    ]
    for way in WAYS:
        rows.append(_row(f"{WAYS[way]}: best strength", lambda way=way: _strength(layout, way)))
        for people in PEOPLE:
            rows += [
                _share(layout, way, people, "in_region", "a face in the region", bounds.in_region if way else None),
                _share(layout, way, people, "right_place", "the right person's face in the region"),
            ]
        rows += pooled_rows(layout, way, bounds.in_order if way else None)
    return rows


def pooled_rows(layout: LayoutBench, way: bool, in_order: float | None) -> list[Row]:
    """Rows over two to four people together."""

    def of(measure: Callable[[Values], Figure]) -> Callable[[], Figure]:
        return lambda: measure(layout.pooled(way))

    name = f"{WAYS[way]}, 2 to 4 people"
    return [
        _row(f"{name}: mean IoU of bodies with regions", of(lambda values: bootstrap_figure(values["iou"]))),
        _row(f"{name}: AP50 of bodies", of(ap_figure)),
        _row(
            f"{name}: nearer person in front where two overlap",
            of(lambda values: pooled_figure(values["in_order"], values["pairs"])),
            in_order,
        ),
        _row(f"{name}: similarity to oneself", of(lambda values: bootstrap_figure(values["own"]))),
    ]


def _row(name: str, measure: Callable[[], Figure], bound: float | None = None) -> Row:
    return Row(name, "", measure, bound, False, LEAST if bound is None else max(LEAST, enough_for(bound)))


def _share(layout: LayoutBench, way: bool, people: int, field: str, says: str, bound: float | None = None) -> Row:
    name = f"{WAYS[way]}, {people} people: {says}"
    return _row(name, lambda: bootstrap_figure(layout.drawn(way, people)[field]), bound)


def _strength(layout: LayoutBench, way: bool) -> Figure:
    strength = layout.best_strength(way)
    return Figure(strength, strength, strength, layout.tuning)
