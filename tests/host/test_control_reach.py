"""A cast inside a ControlNet's own cross-attention, on a real, tiny ControlNet."""

from dataclasses import replace

import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.tiny_control import INPUTS, control_layers
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    LEFT,
    POSITIVE,
    RIGHT,
    TWO,
    assert_different,
    assert_same,
    conditioning,
    sample,
)

REACH = Recipe("decoupled", reach=True)


def test_without_reach_or_without_a_control_net_nothing_changes(model, adapter, hinted):
    plain = patch_cast(model, TWO, adapter, Recipe("decoupled"), 1.0)
    reaching = patch_cast(model, TWO, adapter, REACH, 1.0)

    assert torch.equal(sample(reaching), sample(plain))
    assert_different(sample(reaching, positive=hinted), sample(plain, positive=hinted), 1e-4)


def test_every_layer_of_the_control_net_gets_each_member_in_their_region(model, adapter, control, hinted):
    one = replace(TWO[0], identity=BOB)
    here, there = (
        control_layers(control, lambda cast=cast: sample(cast, positive=hinted, steps=1))
        for cast in (patch_cast(model, (member, TWO[1]), adapter, REACH, 1.0) for member in (TWO[0], one))
    )

    assert list(here) == [*INPUTS, ("middle", 0)]
    first = (here[INPUTS[0]] - there[INPUTS[0]]).abs().amax(-1).unflatten(1, (8, 8))
    negative, positive = first
    assert positive[:, :4].min() > 1e-4
    assert positive[:, 4:].max() == 0
    assert negative.max() == 0
    assert all((here[block] - there[block])[1].abs().max() > 1e-4 for block in here)


def test_the_layers_add_what_the_adapter_says(model, adapter, control, hinted):
    """At strengths of 1 and 2, the first layer's change is once and twice the same."""
    text = control_layers(control, lambda: sample(model, positive=hinted, steps=1))[INPUTS[0]]
    once, twice = (
        control_layers(control, lambda s=s: sample(patch_cast(model, TWO, adapter, REACH, s), positive=hinted, steps=1))
        for s in (1.0, 2.0)
    )

    torch.testing.assert_close(twice[INPUTS[0]] - text, 2 * (once[INPUTS[0]] - text), atol=1e-5, rtol=1e-3)


def test_the_control_net_that_was_given_stays_as_it_was(model, adapter, control, hinted):
    own = hinted[0][1]["control"]
    before = sample(model, positive=hinted)
    parts = [id(part) for part in control.control_model.modules()]

    sample(patch_cast(model, TWO, adapter, REACH, 1.0), positive=hinted)

    assert own.control_model is control.control_model
    assert [id(part) for part in control.control_model.modules()] == parts
    assert torch.equal(sample(model, positive=hinted), before)


def test_a_chain_of_control_nets_and_two_casts_reach_alike(model, adapter, control, hinted):
    hint = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(7))
    second = control.copy().set_cond_hint(hint, 0.3).set_previous_controlnet(hinted[0][1]["control"])
    chained = [[POSITIVE[0][0], {"control": second, "control_apply_to_uncond": True}]]
    ada, bob = (Member(ADA, LEFT),), (Member(BOB, RIGHT),)

    def drawn(*casts, reach=True):
        patched = model
        for cast in casts:
            patched = patch_cast(patched, cast, adapter, replace(REACH, reach=reach), 1.0)
        return sample(patched, positive=chained)

    assert_same(drawn(ada, bob), drawn(bob, ada))
    assert_different(drawn(ada, bob), drawn(ada, bob, reach=False), 1e-4)


def test_prompts_with_and_without_the_control_net_still_share_a_call(model, adapter, hinted, unet_calls):
    negative = [[conditioning(12)[0][0], dict(hinted[0][1])]]

    sample(patch_cast(model, TWO, adapter, REACH, 1.0), positive=hinted, negative=negative, steps=1)

    assert unet_calls == [2]
