"""Several photos of one person, and members with adapters of several formats in one cast."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import recipe_named
from pack.nodes.host.adapters.adapter_group import group_of, inputs_of
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.tiny_adapters import BUFFALO, photographed, subject, tiny_of, tiny_vision
from pack.tests.host.tiny_models import LEFT, RIGHT, apply, assert_same, sample

ADA = photographed("Ada", 1)


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    folder, vision = tmp_path_factory.mktemp("adapters"), tiny_vision()

    def made(kind, **settings):
        return tiny_of(kind, folder, vision, **settings)

    return made


def side_by_side(model, cast, adapter, mode="decoupled"):
    """The model with a cast whose members' photos act together."""
    return patch_cast(model, tuple(cast), adapter, replace(recipe_named(mode), photos="concatenate"), 1.0)


@pytest.mark.parametrize("kind", ["ip-adapter plus", "faceid", "faceid plus v2"])
def test_photos_side_by_side_act_like_one_where_they_are_the_same(model, make, kind):
    adapter, once = make(kind), photographed("Eve", 5, photos=1)
    twice = replace(
        once,
        photos=once.photos * 2,
        embeddings={BUFFALO: np.repeat(once.embeddings[BUFFALO], 2, 0)},
        **{part: np.repeat(getattr(once, part), 2, 0) for part in ("crops", "keypoints", "boxes")},
    )
    cast = [Member(once, LEFT), Member(ADA, RIGHT)]

    group = group_of(adapter, (0, 1), (twice, photographed("Cy", 6, 3)), "concatenate")
    assert (group.people, group.tokens) == (2, 6 * group.row_tokens)
    expected = sample(side_by_side(model, [Member(once, LEFT)], adapter))
    assert_same(sample(side_by_side(model, [Member(twice, LEFT)], adapter)), expected)
    assert sample(side_by_side(model, cast, adapter)).isfinite().all()


def test_in_one_softmax_photos_side_by_side_count_as_one_person(model, make):
    adapter, once = make("faceid"), photographed("Eve", 5, photos=1)
    twice = replace(once, embeddings={BUFFALO: np.repeat(once.embeddings[BUFFALO], 2, 0)})

    one, two = (sample(side_by_side(model, [Member(who, LEFT)], adapter, "masked")) for who in (once, twice))

    assert_same(two, one)


def test_weights_of_photos_reach_the_mean_and_leave_photos_out(make):
    adapter, weighed = make("faceid plus"), replace(ADA, weights=(0.0, 2.0))

    only = inputs_of(ADA, adapter, "one per picture").row(1)
    mean = inputs_of(weighed, adapter, "average")

    torch.testing.assert_close(mean.faces, only.faces)
    torch.testing.assert_close(mean.features, only.features)
    assert len(inputs_of(weighed, adapter, "concatenate")) == 1


def test_members_with_adapters_of_several_formats_stand_in_one_cast(model, make):
    faces, pictures, cat = make("faceid"), make("ip-adapter plus"), subject("cat", 7)
    cast = [Member(ADA, LEFT), Member(cat, RIGHT, adapter=pictures)]

    together = sample(apply(model, cast, faces), size=(16, 16))

    assert_same(together, sample(apply(apply(model, cast[:1], faces), cast[1:], faces), size=(16, 16)))
