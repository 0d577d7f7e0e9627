"""Members' own prompts on a real, tiny UNet: where they act, and what they leave alone."""

from dataclasses import replace

import pytest
import torch
from pack.attention.recipes.cast import Member, NoIdentity
from pack.attention.recipes.recipe import Recipe
from pack.attention.recipes.recipe_book import recipe_named
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.effects.prompts import unused_prompts
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    CONTEXT,
    EVERYWHERE,
    LEFT,
    MODES,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    TWO,
    assert_different,
    assert_same,
    conditioning,
    sample,
)

OTHER = conditioning(31)
LONG = [[torch.cat([conditioning(seed)[0][0] for seed in (32, 33)], 1), {}]]


def drawn(model, adapter, cast, mode="decoupled", **changes):
    return sample(patch_cast(model, tuple(cast), adapter, replace(recipe_named(mode), **changes), 1.0))


def test_a_prompt_over_the_whole_picture_is_that_picture(model, adapter):
    cast = [Member(ADA, EVERYWHERE, strength=0.0, prompt=OTHER)]

    assert_same(drawn(model, adapter, cast, base=0.0), sample(model, positive=OTHER))
    assert_different(drawn(model, adapter, cast, base=0.5), sample(model, positive=OTHER))
    assert torch.equal(drawn(model, adapter, cast, base=1.0), sample(model))


@pytest.mark.parametrize("mode", MODES)
def test_a_prompt_equal_to_the_pictures_changes_nothing(model, adapter, mode):
    prompted = [replace(member, prompt=POSITIVE) for member in TWO]

    assert_same(drawn(model, adapter, prompted, mode), drawn(model, adapter, TWO, mode))


def test_prompts_act_in_their_region_and_in_positive_rows_alone(model, adapter, unet_calls):
    cast = [Member(ADA, LEFT, strength=0.0, prompt=LONG), Member(BOB, RIGHT, strength=0.0)]

    with record_layers(model) as (recorded, calls):
        sample(patch_cast(recorded, tuple(cast), adapter, Recipe("decoupled"), 1.0), steps=1)

    assert unet_calls == [2]
    assert len(calls) == 16
    for call in calls:
        positive, negative = call.change(0)[0], call.change(1)[0]
        half = -(-call.grid[1] // 2)
        assert positive[:, :half].abs().max() > 1e-3, call.key
        assert call.grid[1] == 1 or not positive[:, half:].any(), call.key
        assert not negative.any(), call.key


def test_a_recipe_without_prompts_leaves_them_out(model, adapter):
    prompted = [replace(member, prompt=OTHER) for member in TWO]

    assert torch.equal(drawn(model, adapter, prompted, prompts=False), drawn(model, adapter, TWO))


def test_prompts_of_unlike_lengths_stand_beside_each_other(model, adapter):
    both = drawn(model, adapter, [Member(ADA, LEFT, prompt=LONG), Member(BOB, RIGHT, prompt=OTHER)])
    swapped = drawn(model, adapter, [Member(BOB, RIGHT, prompt=OTHER), Member(ADA, LEFT, prompt=LONG)])

    assert_same(both, swapped)
    assert_different(both, drawn(model, adapter, TWO))


def test_a_cast_of_strength_nought_is_the_model_itself(model, adapter):
    cast = (Member(ADA, LEFT, prompt=OTHER),)

    assert patch_cast(model, cast, adapter, Recipe("decoupled"), 0.0) is model


def test_two_casts_mix_their_prompts_before_anybody_acts(model, adapter):
    """The second cast's prompt takes a part of the text's place, not of the first cast's identity."""
    with record_layers(model) as (recorded, calls):
        one = patch_cast(recorded, (Member(ADA, EVERYWHERE),), adapter, Recipe("decoupled"), 1.0)
        two = patch_cast(
            one, (Member(BOB, EVERYWHERE, strength=0.0, prompt=POSITIVE),), adapter, Recipe("decoupled"), 1.0
        )
        sample(two, steps=1)
    with record_layers(model) as (recorded, alone):
        sample(patch_cast(recorded, (Member(ADA, EVERYWHERE),), adapter, Recipe("decoupled"), 1.0), steps=1)

    torch.testing.assert_close(calls[0].change(0), alone[0].change(0), atol=1e-5, rtol=1e-4)


def test_a_negative_over_the_whole_picture_is_that_negative(model, adapter):
    cast = [Member(ADA, EVERYWHERE, strength=0.0, negative=OTHER)]

    assert_same(drawn(model, adapter, cast, base=0.0), sample(model, negative=OTHER))
    both = [replace(cast[0], prompt=LONG)]
    assert_same(drawn(model, adapter, both, base=0.0), sample(model, positive=LONG, negative=OTHER))


def test_a_negative_acts_in_its_region_and_in_negative_rows_alone(model, adapter):
    cast = [Member(ADA, LEFT, strength=0.0, negative=LONG), Member(BOB, RIGHT, strength=0.0)]

    with record_layers(model) as (recorded, calls):
        sample(patch_cast(recorded, tuple(cast), adapter, Recipe("decoupled"), 1.0), steps=1)

    assert len(calls) == 16
    for call in calls:
        positive, negative = call.change(0)[0], call.change(1)[0]
        half = -(-call.grid[1] // 2)
        assert negative[:, :half].abs().max() > 1e-3, call.key
        assert call.grid[1] == 1 or not negative[:, half:].any(), call.key
        assert not positive.any(), call.key


@pytest.mark.parametrize("mode", MODES)
def test_a_negative_equal_to_the_pictures_changes_nothing(model, adapter, mode):
    refused = [replace(member, negative=NEGATIVE) for member in TWO]

    assert_same(drawn(model, adapter, refused, mode), drawn(model, adapter, TWO, mode))


@pytest.mark.parametrize("mode", MODES)
def test_words_without_an_identity_are_those_of_a_member_who_does_not_act(model, adapter, mode):
    words = Member(NoIdentity("a dog"), LEFT, strength=0.0, prompt=OTHER, negative=LONG)
    beside = Member(BOB, RIGHT)

    assert_same(
        drawn(model, adapter, [words, beside], mode),
        drawn(model, adapter, [replace(words, identity=ADA), beside], mode),
    )
    assert_same(drawn(model, None, [words], mode), drawn(model, adapter, [replace(words, identity=ADA)], mode))


def test_negatives_that_a_model_does_not_read_are_told():
    cast = (Member(ADA, LEFT, negative=OTHER),)
    assert "one member has a prompt" in unused_prompts(cast, Recipe("decoupled", prompts=False))
    assert "cross-attention" in unused_prompts(cast, Recipe("decoupled"), "joint")
    assert not unused_prompts(cast, Recipe("decoupled"))


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (OTHER + OTHER, r"the prompt of 'Ada' has 2 parts .* Conditioning Concat"),
        ([[torch.zeros(1, 77, 2 * CONTEXT), {}]], rf"width {2 * CONTEXT}, and the model reads width {CONTEXT}"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused_with_what_to_do(model, adapter, prompt, said):
    with pytest.raises(ValueError, match=said):
        patch_cast(model, (Member(ADA, LEFT, prompt=prompt),), adapter, Recipe("decoupled"), 1.0)
    with pytest.raises(ValueError, match=said.replace("the prompt", "the negative prompt")):
        patch_cast(model, (Member(ADA, LEFT, negative=prompt),), adapter, Recipe("decoupled"), 1.0)
