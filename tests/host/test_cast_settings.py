"""Schedules, layer strengths, photos of a batch and feathering on a real, tiny UNet."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.layer_strengths import parse_layer_strengths
from pack.attention.recipes.recipe import Gate, Recipe
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    EVERYWHERE,
    LEFT,
    MODES,
    RIGHT,
    TWO,
    assert_different,
    assert_same,
    sample,
)

STEPS = 6


def changes(model, adapter, cast, recipe, steps=STEPS, **options):
    """By step, each layer's change in the positive rows: [steps][layer] -> (key, [images, H, W, C])."""
    with record_layers(model) as (recorded, calls):
        sample(patch_cast(recorded, tuple(cast), adapter, recipe, 1.0), steps=steps, **options)
    size = len(calls) // steps
    return [[(c.key, c.change(0)) for c in calls[step * size : (step + 1) * size]] for step in range(steps)]


@pytest.mark.parametrize("mode", MODES)
def test_each_member_acts_in_their_own_part_of_the_schedule(model, adapter, mode):
    cast = [Member(ADA, LEFT, end=0.5), Member(BOB, RIGHT, start=0.5)]

    acting = []
    for layers in changes(model, adapter, cast, Recipe(mode)):
        left, right = (max(c.unflatten(2, (2, -1))[:, :, half].abs().max() for _, c in layers[:1]) for half in (0, 1))
        acting.append((bool(left > 0), bool(right > 0)))

    assert acting[0] == (True, False)
    assert acting[-1] == (False, True)
    assert sorted(acting, reverse=True) == acting


def test_a_window_of_the_whole_cast_cuts_those_of_its_members(model, adapter):
    cast = [Member(ADA, EVERYWHERE, end=0.9)]
    acting = [
        bool(layers[0][1].abs().max() > 0) for layers in changes(model, adapter, cast, Recipe("decoupled", end=0.4))
    ]

    assert acting[0]
    assert not acting[-1]


def test_a_window_that_no_step_falls_into_leaves_the_model_as_it_is(model, adapter):
    patched = patch_cast(model, (Member(ADA, EVERYWHERE, start=0.98, end=0.99),), adapter, Recipe("decoupled"), 1.0)

    assert torch.equal(sample(patched, steps=2), sample(model, steps=2))


@pytest.mark.parametrize("mode", MODES)
def test_layers_act_at_their_own_strengths(model, adapter, mode):
    recipe = Recipe(mode, layers=parse_layer_strengths("all: 0, output 3-5: 1"))
    for key, change in changes(model, adapter, TWO, recipe, steps=1)[0]:
        assert bool(change.abs().max() > 0) == (key[0] == "output" and 3 <= key[1] <= 5), key


def test_half_the_strength_of_a_layer_is_half_its_change(model, adapter):
    full, half = (
        changes(model, adapter, TWO, Recipe("decoupled", layers=parse_layer_strengths(text)), steps=1)[0]
        for text in ("", "all: 0.5")
    )

    torch.testing.assert_close(half[0][1] * 2, full[0][1])


@pytest.mark.parametrize("mode", MODES)
def test_the_pictures_of_a_batch_take_turns_with_the_photos(model, adapter, mode):
    rows = [who.embeddings["only"][:1] for who in (ADA, BOB)]
    photos = [SimpleNamespace(name="one photo", embeddings={"only": row}) for row in rows]
    both = SimpleNamespace(name="two photos", embeddings={"only": np.concatenate(rows)})
    each = patch_cast(model, (Member(both, LEFT),), adapter, Recipe(mode, photos="one per picture"), 1.0)

    batch = sample(each, batch=3)

    for picture in range(3):
        alone = patch_cast(model, (Member(photos[picture % 2], LEFT),), adapter, Recipe(mode), 1.0)
        assert_same(batch[picture], sample(alone, batch=3)[picture])
    assert_different(batch, sample(patch_cast(model, (Member(both, LEFT),), adapter, Recipe(mode), 1.0), batch=3))


def test_feathered_regions_fade_into_each_other(model, adapter):
    cast = [Member(ADA, LEFT)]
    sharp, soft = (
        changes(model, adapter, cast, Recipe("decoupled", feather=width), steps=1, size=(16, 16))[0][0][1].norm(dim=-1)
        for width in (0.0, 0.05)
    )

    assert torch.equal(sharp[..., 8:], torch.zeros_like(sharp[..., 8:]))
    assert (soft[..., 8] > 0).all()
    assert (soft[..., 8] < soft[..., 6]).all()


def test_the_released_boost_holds_for_its_steps(model, adapter):
    gate = Gate(released=True, boost=4.0, boost_steps=2)
    plain, boosted = (changes(model, adapter, TWO, Recipe("gated", gate=g)) for g in (replace(gate, boost=0.0), gate))
    factor = [(b[0][1].norm() / p[0][1].norm()).item() for p, b in zip(plain, boosted, strict=True)]

    assert min(factor[:1]) > 3
    assert max(factor[2:]) < 2


def test_the_released_boost_of_a_part_of_the_schedule_is_that_of_its_steps(model, adapter):
    steps, part, none = (
        Gate(released=True, boost=4.0, boost_steps=count, boost_end=end) for count, end in ((2, 0), (0, 0.3), (0, 0))
    )
    drawn = [sample(apply_gate(model, adapter, gate), steps=STEPS) for gate in (steps, part, none)]

    assert torch.equal(drawn[0], drawn[1])
    assert_different(drawn[1], drawn[2])


def apply_gate(model, adapter, gate):
    return patch_cast(model, TWO, adapter, Recipe("gated", gate=gate), 1.0)
