"""Member Settings on the real host: one person's settings act for that person alone, as they do for a whole cast."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member, NoIdentity, with_settings
from pack.attention.recipes.layer_strengths import parse_layer_strengths
from pack.attention.recipes.member_settings import MEAN, SCALINGS, MemberSettings
from pack.attention.recipes.recipe_book import recipe_named
from pack.nodes.cast.settings_nodes import AS_THE_CAST, MemberSettingsNode
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.control.regional_control import RegionalControl
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    LEFT,
    POSITIVE,
    RIGHT,
    TWO,
    apply,
    assert_different,
    assert_same,
    sample,
    tiny_adapter,
)

PLAIN = recipe_named("decoupled")


def settled(cast, name="", **settings):
    return with_settings(cast, name, MemberSettings(**settings))


@pytest.mark.parametrize("mode", ["decoupled", "masked", "gated"])
def test_layers_of_everybody_are_those_of_the_recipe(model, adapter, mode):
    layers = parse_layer_strengths("input: 0.5, middle: 0, output 3-5: 1.2")
    recipe = replace(recipe_named(mode), layers=layers)

    own = patch_cast(model, settled(TWO, layers=layers), adapter, recipe_named(mode), 1.0)

    assert_same(sample(own), sample(patch_cast(model, TWO, adapter, recipe, 1.0)))
    assert_different(sample(own), sample(apply(model, TWO, adapter, mode=mode)))


def test_a_person_whose_layers_are_all_off_is_not_there_and_the_other_is_untouched(model, adapter):
    off = settled(TWO, "Ada", layers=parse_layer_strengths("all: 0"))
    absent = (replace(TWO[0], strength=0.0), TWO[1])

    assert_same(sample(apply(model, off, adapter)), sample(apply(model, absent, adapter)))


def test_plain_settings_change_no_bit(model, adapter):
    assert torch.equal(sample(apply(model, settled(TWO), adapter)), sample(apply(model, TWO, adapter)))


def test_photos_of_one_person_act_in_their_own_way(model, adapter):
    alone = (TWO[0],)
    for way in ("concatenate", "one per picture", "average"):
        recipe = replace(PLAIN, photos=way)
        own = patch_cast(model, settled(alone, photos=way), adapter, PLAIN, 1.0)
        assert_same(sample(own), sample(patch_cast(model, alone, adapter, recipe, 1.0)))
    mixed = [
        sample(patch_cast(model, settled(TWO, "Ada", photos=way), adapter, PLAIN, 1.0)) for way in ("add", "average")
    ]
    assert_different(*mixed)


@pytest.mark.parametrize("scaling", SCALINGS[1:])
def test_scaled_people_keep_their_own_strength_whoever_stands_beside_them(model, adapter, scaling):
    strengths = (0.6, 1.4)
    both = tuple(replace(member, strength=by) for member, by in zip(TWO, strengths, strict=True))
    alone = [tuple(replace(m, strength=m.strength * (m is one)) for m in both) for one in both]

    together = sample(apply(model, settled(both, scaling=scaling), adapter))

    one_by_one = apply(
        apply(model, settled(alone[0], scaling=scaling), adapter), settled(alone[1], scaling=scaling), adapter
    )
    assert_same(together, sample(one_by_one))
    assert_different(together, sample(apply(model, both, adapter)), 1e-3)


def test_at_strength_one_keys_and_values_are_as_they_were(model, adapter):
    assert_same(sample(apply(model, settled(TWO, scaling="K+V"), adapter)), sample(apply(model, TWO, adapter)))


def test_scaling_is_refused_where_it_has_no_meaning(model, adapter):
    with pytest.raises(ValueError, match="'Ada' has the embeds scaling 'K.mean.*choose the recipe Troupe"):
        apply(model, settled(TWO, "Ada", scaling=MEAN), adapter, mode="masked")


def test_a_second_adapter_is_two_apply_casts_in_one(model, adapter, tmp_path):
    other = tiny_adapter(tmp_path, seed=9)
    cast = settled(TWO, "Ada", second=other, second_strength=0.5)

    own = sample(apply(model, cast, adapter))

    once = apply(model, TWO, adapter)
    twice = apply(once, (Member(ADA, LEFT, 0.5), Member(BOB, RIGHT, 0.0)), other)
    assert_same(own, sample(twice))
    assert_different(own, sample(once))


def test_the_identity_net_acts_with_each_persons_strength():
    net = RegionalControl(None, [LEFT, RIGHT], weights=[0.5, 2.0])
    plain = RegionalControl(None, [LEFT, RIGHT])
    halves = net._mask((2, 4), (2, 4), None)

    assert torch.equal(plain._mask((2, 4), (2, 4), None), torch.ones(2, 4))
    assert halves.tolist() == [[0.5, 0.5, 2.0, 2.0]] * 2


def test_the_node_sets_one_person_or_everybody_and_names_who_is_there():
    one = MemberSettingsNode.execute(TWO, "Bob", "ease in", "add", "K+V", 0.4, "", 1.0).args[0]

    assert one[0] is TWO[0]
    assert (one[1].settings.weight_type, one[1].settings.photos, one[1].settings.control) == ("ease in", "add", 0.4)
    everybody = MemberSettingsNode.execute(TWO, " ", "linear", AS_THE_CAST, "V only", 1.0, "middle: 0", 1.0).args[0]
    assert [member.settings.photos for member in everybody] == ["", ""]
    with pytest.raises(ValueError, match="nobody called 'Eve'.*members are: Ada, Bob"):
        MemberSettingsNode.execute(TWO, "Eve", "linear", AS_THE_CAST, "V only", 1.0, "", 1.0)
    assert np.isfinite(everybody[0].identity.embeddings["only"]).all()


def test_a_place_with_words_and_nobody_needs_no_adapter(model, adapter):
    with_words = (TWO[0], Member(NoIdentity("sky"), RIGHT, 0.0, POSITIVE))

    empty = replace(TWO[1], strength=0.0, prompt=POSITIVE)
    assert_same(sample(apply(model, with_words, adapter)), sample(apply(model, (TWO[0], empty), adapter)))
