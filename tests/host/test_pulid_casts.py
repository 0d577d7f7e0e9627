"""PuLID in casts: people apart, methods, several photos, recipes that do not take it, and other families beside it."""

import math

import pytest
import torch
from pack.attention.operators.orthogonal import METHODS
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import RECIPES
from pack.attention.recipes.recipe_book import ABLATIONS
from pack.attention.regions.region import Region
from pack.nodes.host.adapters.adapter_group import copies_in, group_of, lengths_in
from pack.nodes.host.adapters.keys_values import keys_values_of
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.model.blocks import cross_attention_blocks
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_adapters import ANTELOPE, photographed, tiny_of
from pack.tests.host.tiny_models import EVERYWHERE, LEFT, RIGHT, apply, assert_different, assert_same, sample

ADA, BOB = (photographed(name, seed, photos=1, recogniser=ANTELOPE) for name, seed in (("Ada", 1), ("Bob", 2)))


@pytest.fixture(scope="module")
def untouched(model):
    return sample(model, steps=1)


def first_layer(model, cast, adapter=None, mode="decoupled"):
    """What the first layer adds to the positive prompt's rows, [H, W, C]."""
    with record_layers(model) as (recorded, calls):
        sample(apply(recorded, cast, adapter, mode=mode), size=(16, 16), steps=1)
    return calls[0].change(0)[0]


@pytest.mark.parametrize("name", ["fidelity", "regional style"])
def test_people_apart_are_each_alone_inside_their_regions(model, pulid, name):
    adapter = pulid(method=name)
    both, ada, bob = (
        first_layer(model, [Member(ADA, LEFT, s, adapter=adapter), Member(BOB, RIGHT, t, adapter=adapter)])
        for s, t in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    )

    torch.testing.assert_close(both[:, :8], ada[:, :8], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(both[:, 8:], bob[:, 8:], atol=1e-5, rtol=1e-5)
    assert not ada[:, 8:].any()
    assert ada[:, :8].abs().max() > 1e-2


@pytest.mark.parametrize("name", ["fidelity", "style"])
def test_regional_with_one_full_region_is_the_published_form(model, pulid, name):
    cast = [Member(ADA, EVERYWHERE)]

    regional, whole = (sample(apply(model, cast, pulid(method=f"{at}{name}")), steps=1) for at in ("regional ", ""))

    assert_same(regional, whole)


def test_methods_and_zero_tokens_change_what_a_layer_adds(model, pulid):
    cast = [Member(ADA, LEFT), Member(BOB, RIGHT)]
    settings = [{"method": name} for name in METHODS] + [{"method": "fidelity", "zero_tokens": n} for n in (0, 30, 8)]

    *added, published = (first_layer(model, cast, pulid(**own)) for own in settings)

    for number, one in enumerate(added):
        assert all((one - other).abs().max() > 1e-3 for other in added[:number])
    torch.testing.assert_close(published, added[0])


@pytest.mark.parametrize("photos", ["average", "one per picture", "concatenate"])
def test_several_photos_of_a_person_act(model, pulid, photos):
    many = photographed("Ada", 1, photos=3, recogniser=ANTELOPE)
    group = group_of(pulid(method="fidelity"), [0], [many], photos)

    together = {"average": (18, 18), "one per picture": (18, 18), "concatenate": (30 + 8, 18)}[photos]
    assert (group.lengths[0], group.lengths[-1]) == together
    assert len(group.rows) == (2 if photos == "average" else 4)


def test_photos_that_v1_1_joins_are_one_run_with_the_tokens_of_one(model, pulid):
    adapter = pulid("pulid v1.1", method="fidelity")
    many, one = (photographed("Ada", 1, photos=count, recogniser=ANTELOPE) for count in (3, 1))
    group = group_of(adapter, [0], [many], "concatenate")
    blocks = cross_attention_blocks(model)

    joined, single = (
        keys_values_of([group_of(adapter, [0], [who], "concatenate")], blocks, torch.device("cpu"), torch.float32)
        for who in (many, one)
    )

    assert set(group.lengths) == {8 + 20}
    layer = blocks[0].key
    tokens = adapter.module.tokens(group.rows.rows([0, 1, 2]).together())
    torch.testing.assert_close(joined[layer][0][0, :8], adapter.module.keys_and_values(tokens, 0)[0][0])
    assert not joined[layer][0][0, 8:].any()
    assert (joined[layer][0][0] - single[layer][0][0]).abs().max() > 1e-2
    torch.testing.assert_close(joined[layer][0][1], single[layer][0][1])


@pytest.mark.parametrize("recipe", ["masked", "DynamicID as released"])
def test_a_mode_with_one_softmax_for_all_takes_neutral_alone(model, untouched, pulid, recipe):
    recipe = ABLATIONS["DynamicID"]["as released"] if recipe != "masked" else RECIPES["masked"]

    with pytest.raises(ValueError, match=f"method fidelity, which takes out .* in mode {recipe.mode} .*neutral"):
        patch_cast(model, [Member(ADA, LEFT)], pulid(method="fidelity"), recipe, 1.0)
    latent = sample(patch_cast(model, [Member(ADA, LEFT)], pulid(method="neutral"), recipe, 1.0), steps=1)

    assert_different(latent, untouched)


@pytest.mark.parametrize("recipe", ["decoupled", "gated"])
def test_a_mixed_cast_adds_what_each_adds_alone_and_its_sources_stay_short(model, pulid, tmp_path, recipe):
    families = [tiny_of("instantid", tmp_path), pulid(method="regional fidelity"), pulid("pulid v1.1", method="style")]
    regions = [Region(f"strip {n}", x=n / 4, width=0.25) for n in range(3)]
    people = [photographed(f"P{n}", 60 + n, photos=1, recogniser=ANTELOPE) for n in range(3)]
    cast = [Member(p, r, adapter=a) for p, r, a in zip(people, regions, families, strict=True)]

    mixed, *alone = (first_layer(model, members, mode=recipe) for members in (cast, *([member] for member in cast)))

    torch.testing.assert_close(mixed, sum(alone), atol=1e-4, rtol=1e-4)
    groups = [group_of(a, [n], [p], "average") for n, (a, p) in enumerate(zip(families, people, strict=True))]
    assert lengths_in(groups) == (16, math.lcm(10 + 8, 8 + 40))
    assert copies_in(groups).tolist() == [1, 1, 8, 8, 3, 3]


@pytest.mark.parametrize("name", ["fidelity", "regional style"])
def test_a_layer_waits_for_nothing_and_a_run_is_repeated_bit_for_bit(model, pulid, identity_operations, name):
    patched, drawn = apply(model, [Member(ADA, LEFT), Member(BOB, RIGHT)], pulid(method=name)), []
    seen, _ = identity_operations(lambda: drawn.append(sample(patched, steps=1)))

    assert torch.equal(drawn[0], sample(patched, steps=1))
    assert seen & {"_local_scalar_dense", "nonzero", "item", "equal", "arange", "cumsum", "max"} == set()
    assert "index_add_" in seen


@pytest.mark.parametrize("recipe", ["decoupled", "gated"])
def test_company_of_other_families_shares_one_pass(model, pulid, tmp_path, unet_calls, recipe):
    adapters = [tiny_of("faceid", tmp_path), tiny_of("instantid", tmp_path)]
    adapters += [pulid(method="regional fidelity"), pulid("pulid v1.1", method="style")]
    regions = [Region(f"strip {n}", x=n / 4, width=3 / 16) for n in range(4)]
    people = [photographed(f"P{n}", 40 + n, photos=1, recogniser=ANTELOPE) for n in range(4)]
    cast = [Member(p, r, adapter=a) for p, r, a in zip(people, regions, adapters, strict=True)]

    with record_layers(model) as (recorded, calls):
        latent = sample(apply(recorded, cast, mode=recipe), size=(16, 16), steps=2)

    assert unet_calls == [2, 2]
    assert latent.isfinite().all()
    assert_only_inside(calls, regions, (16, 16), least=16)
