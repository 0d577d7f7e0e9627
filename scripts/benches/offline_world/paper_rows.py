"""Rows of the bench `paper`: the four systems and their ablations by people, and the orderings that were published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe_book import ABLATIONS
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .layout_scores import layout_scores
from .members import Way
from .placed import placed_people
from .published import ORDERINGS, STRIPS, Ordering
from .recipe_company import LESS, WAYS, RecipeBench
from .recipe_rows import mean_figure

SEED, BOX_SEED = 8_100_001, 8_200_001
SYSTEMS = ("MultiID", "AnyMS", "DynamicID", "InstantFamily")
# The three axes of IDBench (global prompt, local prompt, identity), as the offline world's judges see them.
AXES = {
    "counted": "global prompt: people counted right",
    "prompted": "local prompt: own words seen",
    "margin": "local prompt: own words over the others'",
    "own": "identity: similarity to oneself",
    "other": "identity: similarity to the others",
    "right_place": "identity: right place",
}
OF_COMPANY = {"margin", "other"}  # nobody is alone with others
IN_BOXES = ("own", "iou")  # what is looked at where boxes overlap
LEAST = 20
SAME = Figure(0.0, 0.0, 0.0, 0)  # both drew the very same: no sample of an ordering
WAYS_OF_PAPERS: dict[str, tuple[str, Way]] = {name: (name, WAYS[name]) for name in SYSTEMS}
WAYS_OF_PAPERS |= {name: found for name, found in LESS.items() if found[0] in SYSTEMS}
"""Whose it is, and the way, of every system and ablation by its name."""


@dataclass
class Paper:
    """The bench of recipes, and how many scenes are drawn by how many people.

    tuned : whether systems run at their best strengths, or at the second of those they are tried with
    """

    bench: RecipeBench
    scenes: dict[int, int]
    tuned: bool = True

    def strength(self, name: str, people: int) -> float:
        """That of the whole system at its best, for one person or for two, as in the bench `recipes`."""
        way = WAYS[WAYS_OF_PAPERS[name][0]]
        return self.bench.best_strength(way, min(people, 2)) if self.tuned else way.strengths[1]

    def side_by_side(self, name: str | None, people: int) -> Values:
        """What a way, or the unpatched model, does with people in strips, where a depth ControlNet puts them."""
        count = self.scenes[people]
        if name is None:
            return self.bench.drawn(None, people, 0.0, count, SEED + people)
        way = WAYS_OF_PAPERS[name][1]
        return self.bench.drawn(way, people, self.strength(name, people), count, SEED + people)

    def in_boxes(self, name: str, people: int) -> Values:
        """The same in boxes that overlap, by the regions alone: `own` and `iou` of layout_scores by picture."""
        strength, count = self.strength(name, people), self.scenes[people]
        key = f"{name} with {people} in boxes at {strength}: {count} from {BOX_SEED + people}"
        return self.bench.bench.samples.get(key, lambda: self._draw_in_boxes(key, name, people, strength, count))

    def _draw_in_boxes(self, key: str, name: str, people: int, strength: float, count: int) -> Values:
        bench, recipe = self.bench.bench, WAYS_OF_PAPERS[name][1].recipe
        values: Values = {field: [] for field in IN_BOXES}
        for number, placed in enumerate(placed_people(people, count, BOX_SEED + people, bench.engine, bench.size)):
            bench.status(f"{key}: {number} of {count} pictures")
            cast = [Member(who, region) for who, region in zip(placed.target.cast, placed.regions, strict=True)]
            model = bench.host.with_members(cast, recipe, strength)
            (picture,) = bench.host.pictures(model, [placed.target.prompt], bench.size, BOX_SEED + number)
            scores = layout_scores(bench.scorer, picture, placed, number)
            for field in IN_BOXES:
                values[field] += scores[field]
        return values

    def of(self, ordering: Ordering, name: str) -> Values:
        """What one side of an ordering does, on the scenes that both are compared on."""
        draw = self.side_by_side if ordering.where == STRIPS else self.in_boxes
        return draw(name, ordering.people)


def paper_rows(paper: Paper) -> Iterator[Row]:
    """Whether each ordering comes out as published, then every system and ablation for one to six people."""
    for ordering in ORDERINGS:
        yield ordering_row(paper, ordering)
    for field, says in AXES.items():
        for people in paper.scenes:
            if people == 1 and field in OF_COMPANY:
                continue
            for name in (None, *names()):

                def measure(name: str | None = name, people: int = people, field: str = field) -> Figure:
                    return mean_figure(paper.side_by_side(name, people), field)

                yield Row(f"papers: {name or 'unpatched'}, {people}, {says}", "", measure, None, False, LEAST)


def ordering_row(paper: Paper, ordering: Ordering) -> Row:
    """The gain of what was published ahead, picture by picture from the same noise: reproduced where it is above 0."""

    def gain() -> Figure:
        ahead, behind = (paper.of(ordering, name)[ordering.field] for name in (ordering.ahead, ordering.behind))
        gains = np.subtract(ahead, behind)
        return bootstrap_figure(gains) if gains.any() else SAME

    what = f"{ordering.ahead} over {ordering.behind}, {ordering.people} people {ordering.where}"
    return Row(f"{what}: {ordering.field.replace('_', ' ')} ({ordering.published})", "", gain, 0.0, False, LEAST)


def names() -> list[str]:
    """Every system, each followed by its ablations."""
    return [name for whose in SYSTEMS for name in (whose, *(f"{whose} {less}" for less in ABLATIONS[whose]))]
