"""Pictures of every recipe of the recipe book, scored: likeness, places, counts, and each member's own prompt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....attention.recipes.recipe import Recipe
from ....attention.recipes.recipe_book import ABLATIONS, RECIPE_BOOK
from ...figures.samples import Values
from .company import score
from .drawing import DECOUPLED, GATED, MASKED
from .members import Way, pictures_of, prompt_margin, seen_as_prompted, shown
from .people import Target, targets
from .refined import refined
from .workbench import Workbench

SEED, TUNING_SEED, PROMISED_SEED = 7_800_001, 7_900_001, 8_600_001
BATCH = 8
STRENGTHS = {mode.recipe.mode: mode.strengths for mode in (DECOUPLED, MASKED, GATED)}
FIELDS = ("own", "other", "right_place", "counted", "shirt", "expression", "look", "prompted", "margin")


@dataclass(frozen=True)
class Scenes:
    """How many scenes are drawn, by how many people.

    promised : where a bound is to be decided
    tuning   : of other seeds, at every strength
    """

    by_people: dict[int, int]
    promised: dict[int, int]
    tuning: int


# A bound of 0.97 is not decided by fewer than a hundred scenes (bounds.enough_for); a share of prompts within 0.015 of
# its bound, as 0.965 of 0.95 is, by about 240.
FULL = Scenes({1: 24, 2: 64, 3: 24, 4: 24, 5: 64, 6: 24}, promised={1: 100, 2: 240, 5: 64}, tuning=12)
QUICK = Scenes(dict.fromkeys(range(1, 7), 1), promised=dict.fromkeys((1, 2, 5), 1), tuning=1)


def way_of(name: str, recipe: Recipe) -> Way:
    """The recipe with the strengths that suit its mode."""
    return Way(name, recipe, STRENGTHS[recipe.mode])


ASIDE = ("DynamicID (released)",)  # drawn as an ablation, "DynamicID as released"
WAYS = {name: way_of(name, recipe) for name, recipe in RECIPE_BOOK.items() if name not in ASIDE}
REFINED = replace(WAYS["Troupe"], name="Troupe and Refine Cast", refined=True)
LESS = {
    f"{name} {without}": (name, way_of(f"{name} {without}", recipe))
    for name, switches in ABLATIONS.items()
    for without, recipe in switches.items()
}
"""What each ablation is called: whose it is, and the way."""


class RecipeBench:
    """The workbench, and how many scenes there are."""

    def __init__(self, bench: Workbench, scenes: Scenes) -> None:
        self.bench = bench
        self.scenes = scenes

    def of(self, way: Way | None, people: int) -> Values:
        """What a recipe does at its own best strength; without one, the unpatched model."""
        return self._at_best(way, people, self.scenes.by_people[people], SEED)

    def promised(self, way: Way | None, people: int) -> Values:
        """The same on as many scenes, of other seeds, as decide a bound."""
        return self._at_best(way, people, self.scenes.promised[people], PROMISED_SEED)

    def _at_best(self, way: Way | None, people: int, count: int, seed: int) -> Values:
        strength = self.best_strength(way, min(people, 2)) if way else 0.0
        return self.drawn(way, people, strength, count, seed + people)

    def without(self, name: str) -> Values:
        """What an ablation does to two people, at the strength of the recipe it takes something away from."""
        whose, way = LESS[name]
        strength = self.best_strength(WAYS[whose], 2)
        return self.drawn(way, 2, strength, self.scenes.by_people[1], SEED + 2)

    def best_strength(self, way: Way, people: int) -> float:
        """The strength with the highest mean of `merits` without a second pass, on seeds no row is measured on."""
        way = WAYS["Troupe"] if way is REFINED else way
        means = [np.mean(merits(self.tuned(way, people, strength))) for strength in way.strengths]
        return way.strengths[int(np.argmax(means))]

    def tuned(self, way: Way, people: int, strength: float) -> Values:
        """What a recipe does at a strength, on the seeds for tuning."""
        return self.drawn(way, people, strength, self.scenes.tuning, TUNING_SEED + people)

    def drawn(self, way: Way | None, people: int, strength: float, count: int, seed: int) -> Values:
        """Figures by picture of `count` scenes, see `scored`; drawn once."""
        name = f"{way.name if way else 'unpatched'} with {people} at {strength}: {count} from {seed}"
        return self.bench.samples.get(name, lambda: self._draw(name, way, people, strength, count, seed))

    def _draw(self, name: str, way: Way | None, people: int, strength: float, count: int, seed: int) -> Values:
        bench, values = self.bench, {field: [] for field in FIELDS}
        cases = targets(people, count, seed, bench.engine, bench.size)
        for first in range(0, count, BATCH):
            bench.status(f"{name}: {first} of {count} pictures")
            batch = cases[first : first + BATCH]
            pictures = pictures_of(bench.host, batch, way, strength, seed + first)
            for place, (target, picture) in enumerate(zip(batch, pictures, strict=True)):
                if way and way.refined:
                    alone = self.best_strength(way, 1)
                    picture = refined(bench, picture, target, way.recipe, alone, seed + first + place)
                for field, value in scored(bench, picture, target).items():
                    values[field].append(value)
        return values


def merits(values: Values) -> np.ndarray:
    """One number for each picture to tune by: likeness, places and prompts in equal parts."""
    return np.mean([values[field] for field in ("own", "right_place", "prompted")], 0)


def scored(bench: Workbench, picture: np.ndarray, target: Target) -> dict[str, float]:
    """One picture's figures, means over its members; those that the picture does not have are left out.

    own, other, right_place : as Score Cast has them (measure.likeness)
    counted  : 1 where there are as many faces as members
    shirt, expression, look, prompted : of members.seen_as_prompted
    margin   : of members.prompt_margin
    """
    people, result = len(target.cast), score(bench.scorer, picture, target)
    boxes = np.array([face.bbox for face in bench.scorer.detect(picture)], np.float32).reshape(-1, 4)
    found = shown(bench.reader, picture, boxes, people)
    figures = {
        "own": float(result.own.mean()),
        "other": result.other,
        "right_place": float(result.right_place.mean()),
        "counted": float(len(boxes) == people),
        **seen_as_prompted(target, found),
        "margin": prompt_margin(target, found),
    }
    return {field: value for field, value in figures.items() if value is not None}
