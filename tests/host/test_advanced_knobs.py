"""Every knob of Apply Cast (Advanced) reaches the recipe, whatever a saved prompt leaves out."""

import pytest
from pack.attention.recipes.recipe import Gate, Isolation, Recipe, References, Routing
from pack.nodes.cast.advanced_inputs import together_inputs
from pack.nodes.cast.advanced_nodes import recipe_of

FIRST = {
    "compositor": "auto",
    "start": 0.0,
    "end": 1.0,
    "feather": 0.0,
    "hard": False,
    "layers": "",
    "photos": "average",
}
TURNED = {
    "base": 0.3,
    "eta": 0.1,
    "eta_end": 0.7,
    "eta_cells": 64,
    "background": "apart",
    "references": 2.0,
    "reference_layers": "all",
    "reference_style": True,
    "reference_size": 512,
    "reach": True,
    "margin": 0.25,
    "apart_in": "everything",
    "routing": "bound",
    "apart_until": 0.3,
    "photo_size": 768,
    "photo_crop": "photo",
    "photo_place": "in order",
    "photo_tokens": "face",
    "boost_end": 0.1,
}


def test_without_the_knobs_that_came_later_a_recipe_is_the_plain_one():
    assert recipe_of(FIRST, {}) == Recipe("decoupled", odds=16.0, routing=Routing())


def test_every_later_knob_has_its_place():
    assert set(TURNED) == {knob.id for knob in together_inputs()} - {"vae"}

    found = recipe_of({**FIRST, **TURNED}, {"mode": "gated", "gate": "joint"})

    assert found == Recipe(
        "gated",
        odds=16.0,
        gate=Gate(joint=True, boost_end=0.1),
        base=0.3,
        margin=0.25,
        isolation=Isolation(0.1, 0.0, 0.7, 64, "apart", "everything"),
        references=References(2.0, layers="all", match_mean=True, size=512),
        reach=True,
    )
    assert found.isolation.covers_everything
    assert recipe_of({**FIRST, **TURNED}, {}).routing == Routing("bound", 0.3, 768, "photo", "in order", "face")


@pytest.mark.parametrize("knob", TURNED)
def test_no_knob_is_another(knob):
    plain = recipe_of(FIRST, {})

    assert recipe_of({**FIRST, knob: TURNED[knob]}, {}) != plain
