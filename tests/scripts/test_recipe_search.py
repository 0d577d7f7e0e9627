"""The search for a recipe finds the settings that pay, in a world where it is known which do."""

import numpy as np
import pytest
from pack.attention.recipes.recipe import Isolation
from pack.scripts.benches.offline_world.recipe_company import FIELDS
from pack.scripts.benches.offline_world.recipe_search import KNOBS, PEOPLE, START, Search, search_rows

SCENES = 24


class KnownWorld:
    """Isolation at all steps pays a lot, some less, a base of 0.5 pays; a feather costs, nothing else matters."""

    def __init__(self):
        self.drawn_at = set()

    def best_strength(self, way, _people):
        return {"decoupled": 1.2, "gated": 2.2, "masked": 4.0}[way.recipe.mode]

    def drawn(self, way, people, strength, count, seed):
        self.drawn_at.add((way.recipe.mode, strength))
        recipe = way.recipe
        merit = 0.2 * (recipe.isolation == Isolation(eta=0.0, end=1.0)) + 0.1 * (recipe.isolation.eta < 1)
        merit += 0.1 * (recipe.prompts and recipe.base == 0.5) - recipe.feather
        noise = np.random.default_rng(seed).normal(size=count)
        return {field: (noise + merit).tolist() for field in FIELDS}


@pytest.fixture
def search():
    return Search(KnownWorld(), SCENES)


def test_settings_that_pay_are_chosen_and_others_stay_as_they_were(search):
    assert search.best() == {"isolation": "eta 0 until 1", "local prompts": "base 0.5"}

    found = search.together().recipe
    assert (found.isolation, found.prompts, found.base) == (Isolation(eta=0.0, end=1.0), True, 0.5)
    assert (found.mode, found.feather, found.reach) == (START.mode, START.feather, START.reach)
    assert search.together("isolation").recipe.isolation == START.isolation


def test_gains_are_taken_picture_by_picture(search):
    """The noise of the scenes is the same for all, so a gain has no spread."""
    gains = search.gains(search.candidate("isolation", "eta 0 until 1"))

    assert gains == pytest.approx(np.full(len(PEOPLE) * SCENES, 0.3))


def test_every_mode_is_drawn_at_its_own_strength(search):
    for row in search_rows(search):
        row.measure()

    assert search.bench.drawn_at == {("decoupled", 1.2), ("gated", 2.2), ("masked", 4.0)}


def test_rows_show_every_candidate_the_best_together_and_the_ablation(search):
    rows = {row.name: row for row in search_rows(search)}

    assert len(rows) == len(list(search_rows(search)))
    for knob, settings in KNOBS.items():
        for setting in settings:
            assert f"{knob} {setting}: merit beyond that of decoupled alone" in rows
    together = rows["the best together: merit beyond that of decoupled alone"].measure().value
    without = rows["the best together without isolation: merit beyond that of decoupled alone"].measure().value
    assert (together, without) == pytest.approx((0.4, 0.1))
