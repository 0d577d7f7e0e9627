"""The recipes of the book on a real, tiny UNet: what they become when what their papers took away is taken away."""

from dataclasses import replace

import comfy.sd
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Recipe
from pack.attention.recipes.recipe_book import (
    ABLATIONS,
    ANYMS,
    DYNAMICID,
    INSTANTFAMILY,
    MULTIID,
    RECIPE_BOOK,
    TROUPE,
)
from pack.attention.regions.region import Region
from pack.nodes.cast.cast_nodes import ApplyCast
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    EVERYWHERE,
    LEFT,
    RIGHT,
    TWO,
    assert_different,
    assert_same,
    conditioning,
    sample,
)
from pack.tests.host.vae import PAIR

OVERLAPPING = (Member(ADA, Region("a", width=0.75)), Member(BOB, Region("b", x=0.5, width=0.5)))
ALL = {**RECIPE_BOOK, **{f"{name} {what}": r for name, cases in ABLATIONS.items() for what, r in cases.items()}}


@torch.inference_mode()
def patched(model, adapter, cast, recipe, encoder=None):
    return patch_cast(model, tuple(cast), adapter, recipe, 1.0, encoder)


@pytest.mark.parametrize("name", ALL)
def test_every_recipe_and_ablation_draws_a_batch_with_an_area(model, adapter, vae, name):
    cast = [replace(PAIR[0], prompt=conditioning(31)), PAIR[1]]
    recipe = replace(ALL[name], references=replace(ALL[name].references, size=32))
    area = [[conditioning(3)[0][0], {"area": (4, 8, 2, 0), "strength": 1.0}]]

    out = sample(patched(model, adapter, cast, recipe, vae), positive=conditioning(11) + area, batch=2)

    assert_different(out, sample(model, positive=conditioning(11) + area, batch=2), 1e-3)


def test_what_is_left_of_each_recipe_is_the_plain_mode(model, adapter):
    def out(recipe):
        return sample(patched(model, adapter, TWO, recipe))

    plain = out(Recipe("decoupled"))
    bare = ABLATIONS["MultiID"]["without references"]
    assert_same(out(replace(bare, prompts=False, compositor=None)), plain)
    assert torch.equal(out(replace(ABLATIONS["DynamicID"]["without the gate"])), plain)
    assert torch.equal(out(TROUPE), plain)
    assert_different(out(ABLATIONS["Troupe"]["with isolation"]), plain)
    assert_different(out(DYNAMICID), plain)


def test_without_crop_and_merge_only_the_overlap_changes(model, adapter):
    """Of the first layer of all, whose queries are the same in both."""
    changed = []
    for recipe in (ANYMS, ABLATIONS["AnyMS"]["without crop-and-merge"]):
        with record_layers(model) as (recorded, calls):
            sample(patched(recorded, adapter, OVERLAPPING, recipe), steps=1)
        changed.append(calls[0].change(0)[0])

    difference = (changed[0] - changed[1]).abs().amax(-1)
    assert difference[:, 4:6].min() > 1e-4
    assert difference[:, :4].max() < 1e-6
    assert difference[:, 6:].max() < 1e-6


def test_anyms_lets_the_nearer_region_overwrite_and_the_cast_decide_between_equals(model, adapter):
    """Read off the first layer's overlap, where the first of a cast alone would act as the one in front does."""

    def overlap(*orders):
        cast = [
            replace(member, region=replace(member.region, order=o))
            for member, o in zip(OVERLAPPING, orders, strict=True)
        ]
        with record_layers(model) as (recorded, calls):
            sample(patched(recorded, adapter, cast, ANYMS), steps=1)
        return calls[0].change(0)[0][:, 4:6]

    ada_in_front, ben_in_front = overlap(0, 1), overlap(1, 0)
    assert torch.equal(overlap(3, 3), ada_in_front)
    assert (ada_in_front - ben_in_front).abs().max() > 1e-4
    assert_same(ben_in_front, overlap(5, -2))


@pytest.mark.parametrize("name", [name for name in RECIPE_BOOK if name != "MultiID"])
def test_a_prompt_that_a_recipe_does_not_read_is_said(model, adapter, caplog, name):
    cast = (replace(TWO[0], prompt=conditioning(31)), TWO[1])
    with caplog.at_level("INFO"):
        node = ApplyCast.execute(model, cast, name, 1.0, adapter)

    said = "one member has a prompt of their own, and this recipe draws everybody by the picture's prompt alone"
    assert (said in caplog.text) == (said in str(node.ui and node.ui.as_dict())) == (not RECIPE_BOOK[name].prompts)


def test_without_decoupling_regions_do_not_matter(model, adapter):
    recipe = ABLATIONS["AnyMS"]["without local decoupling"]
    swapped = (Member(ADA, RIGHT), Member(BOB, LEFT))

    assert_same(sample(patched(model, adapter, TWO, recipe)), sample(patched(model, adapter, swapped, recipe)))


def test_the_literal_mask_is_the_hard_one_where_it_is_one(model, adapter):
    cast = (Member(ADA, EVERYWHERE),)
    hard, literal = INSTANTFAMILY, ABLATIONS["InstantFamily"]["literal"]

    assert_same(sample(patched(model, adapter, cast, literal)), sample(patched(model, adapter, cast, hard)))
    narrow = (Member(ADA, LEFT),)
    assert_different(sample(patched(model, adapter, narrow, literal)), sample(patched(model, adapter, narrow, hard)))


def test_the_margin_lets_a_person_act_around_their_face(model, adapter):
    face = (Member(ADA, Region("face", x=0.5, y=0.5, width=0.25, height=0.25)),)
    wide = []
    for recipe in (replace(INSTANTFAMILY, margin=0.0), replace(INSTANTFAMILY, margin=0.5)):
        with record_layers(model) as (recorded, calls):
            sample(patched(recorded, adapter, face, recipe), steps=1)
        wide.append(int((calls[0].change(0)[0].abs().amax(-1) > 0).sum()))

    assert wide == [4, 16]


def test_a_recipe_that_needs_photos_says_so(model, adapter):
    with pytest.raises(ValueError, match="Connect the checkpoint's VAE"):
        patched(model, adapter, TWO, MULTIID)
    with pytest.raises(ValueError, match="no identity in the cast has one"):
        patched(model, adapter, TWO, MULTIID, comfy.sd.VAE)
