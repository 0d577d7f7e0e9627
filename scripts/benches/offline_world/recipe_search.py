"""The search for Troupe's own recipe: `decoupled` with one knob turned at a time, then the best settings together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ....attention.recipes.recipe import RECIPES, Isolation
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Figure, Row
from .members import Way
from .recipe_company import RecipeBench, merits, way_of

SEED = 8_000_001
PEOPLE = (2, 5)
FIELDS = {
    "right_place": "right place",
    "own": "similarity to oneself",
    "other": "similarity to the others",
    "prompted": "prompted parts seen",
    "margin": "own prompt over the others'",
    "counted": "people counted right",
}
LEAST = 20
START = replace(RECIPES["decoupled"], prompts=False)


def _isolated(eta: float, end: float = 0.6, background: str = "shared") -> dict[str, Any]:
    return {"isolation": Isolation(eta=eta, end=end, background=background)}


# Knob: setting: what it changes of START. A knob stays as START has it unless a setting's merit is higher.
KNOBS: dict[str, dict[str, dict[str, Any]]] = {
    "mode": {mode: {"mode": mode, "odds": RECIPES[mode].odds} for mode in ("gated", "masked")},
    "isolation": {
        "eta 0.3 until 0.6": _isolated(0.3),
        "eta 0 until 0.4": _isolated(0.0, 0.4),
        "eta 0 until 0.6": _isolated(0.0),
        "eta 0 until 1": _isolated(0.0, 1.0),
        "eta 0 until 0.6 with the background apart": _isolated(0.0, 0.6, "apart"),
    },
    "local prompts": {
        "base 0": {"prompts": True, "base": 0.0},
        "base 0.2": {"prompts": True, "base": 0.2},
        "base 0.5": {"prompts": True, "base": 0.5},
    },
    "feather": {"0.02": {"feather": 0.02}, "0.05": {"feather": 0.05}},
    "start": {"0.1": {"start": 0.1}},
    "ControlNet reach": {"on": {"reach": True}},
}


class Search:
    """Candidates at the strength that is best for their mode, on seeds that no other row is measured on."""

    def __init__(self, bench: RecipeBench, scenes: int) -> None:
        self.bench = bench
        self.scenes = scenes

    def candidate(self, knob: str, setting: str) -> Way:
        """START with one knob turned."""
        return way_of(f"{knob} {setting}", replace(START, **KNOBS[knob][setting]))

    def values(self, way: Way, people: int) -> Values:
        """What a candidate does."""
        plain = way_of(f"search in mode {way.recipe.mode}", replace(START, **self._mode(way.recipe.mode)))
        strength = self.bench.best_strength(plain, 2)
        return self.bench.drawn(way, people, strength, self.scenes, SEED + people)

    def gains(self, way: Way, of: Way | None = None) -> np.ndarray:
        """Picture by picture, the merit beyond that of `decoupled` or of another candidate, for both crowds."""
        of = of or way_of("decoupled alone", START)
        parts = [np.subtract(merits(self.values(way, n)), merits(self.values(of, n))) for n in PEOPLE]
        return np.concatenate(parts)

    def best(self) -> dict[str, str]:
        """The settings, by knob, of those knobs that are better turned."""
        chosen = {}
        for knob, settings in KNOBS.items():
            gains = {setting: float(self.gains(self.candidate(knob, setting)).mean()) for setting in settings}
            setting = max(gains, key=gains.__getitem__)
            if gains[setting] > 0:
                chosen[knob] = setting
        return chosen

    def together(self, without: str = "") -> Way:
        """The best settings of all knobs together, or of all but one."""
        changes = {}
        chosen = {knob: setting for knob, setting in self.best().items() if knob != without}
        for knob, setting in chosen.items():
            changes |= KNOBS[knob][setting]
        name = ", ".join(f"{knob} {setting}" for knob, setting in chosen.items()).replace(", ", " and ")
        return way_of(f"together: {name or 'nothing'}", replace(START, **changes))

    @staticmethod
    def _mode(mode: str) -> dict[str, Any]:
        return {"mode": mode, "odds": RECIPES[mode].odds}


def search_rows(search: Search) -> Iterator[Row]:
    """Every candidate against `decoupled`, what all the best do together, and that less one knob each."""
    candidates = {"decoupled": lambda: way_of("decoupled alone", START)}
    for knob, settings in KNOBS.items():
        for setting in settings:
            candidates[f"{knob} {setting}"] = lambda knob=knob, setting=setting: search.candidate(knob, setting)
    candidates["the best together"] = search.together
    for knob in KNOBS:
        candidates[f"the best together without {knob}"] = lambda knob=knob: search.together(knob)
    for name, way in candidates.items():

        def gain(way=way) -> Figure:
            return bootstrap_figure(search.gains(way()))

        yield Row(f"{name}: merit beyond that of decoupled alone", "", gain, None, False, LEAST)
        for people in PEOPLE:
            for field, says in FIELDS.items():

                def mean(way=way, people: int = people, field: str = field) -> Figure:
                    return bootstrap_figure(search.values(way(), people)[field])

                yield Row(f"search: {name}, {people}, {says}", "", mean, None, False, LEAST)
