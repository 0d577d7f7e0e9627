"""Apply Cast on a real, tiny UNet: what it must be equal to, and where it must leave everything alone."""

import comfy.ldm.modules.attention as attention
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.masks import cells_of, token_masks
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.plain_adapter import with_plain_layers
from pack.tests.host.tiny_models import (
    ADA,
    ADAPTER_LAYERS,
    BOB,
    CY,
    EVERYWHERE,
    LEFT,
    RIGHT,
    TWO,
    adapter_state,
    apply,
    assert_different,
    assert_same,
    person,
    sample,
    tiny_adapter,
    tiny_model,
)


@pytest.fixture(scope="module")
def untouched(model):
    return sample(model)


def plain_adapter(model, identity, strength=1.0):
    """The adapter as published, written from its formula: one person, everywhere, on both halves of the batch."""
    state = adapter_state()
    weight = {key.split(".", 1)[1]: value for key, value in state.items()}
    photos = torch.nn.functional.normalize(torch.from_numpy(identity.embeddings["only"]), dim=-1)
    embedding = torch.nn.functional.normalize(photos.mean(0), dim=0)

    def tokens(face):
        hidden = torch.nn.functional.gelu(weight["proj.0.weight"] @ face + weight["proj.0.bias"])
        rows = (weight["proj.2.weight"] @ hidden + weight["proj.2.bias"]).view(-1, 64)
        return torch.nn.functional.layer_norm(rows, (64,), weight["norm.weight"], weight["norm.bias"])

    return with_plain_layers(model, [tokens(embedding), tokens(torch.zeros(512))], weight, strength)


def test_one_person_everywhere_is_the_plain_adapter(model, adapter, untouched):
    expected = sample(plain_adapter(model, ADA))

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE)], adapter)), expected)
    assert_different(expected, untouched)


def test_the_strengths_of_member_and_cast_multiply(model, adapter):
    expected = sample(plain_adapter(model, ADA, strength=0.3))

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE, strength=0.6)], adapter, strength=0.5)), expected)


def test_one_person_on_both_halves_is_one_person_everywhere(model, adapter):
    halves = [Member(ADA, LEFT), Member(ADA, RIGHT)]

    assert_same(sample(apply(model, halves, adapter)), sample(apply(model, [Member(ADA, EVERYWHERE)], adapter)))


@pytest.mark.parametrize(("cast", "strength"), [((), 1.0), (TWO, 0.0), ([Member(ADA, LEFT, strength=0.0)], 1.0)])
def test_nobody_or_no_strength_is_the_model_itself_bit_for_bit(model, adapter, untouched, cast, strength):
    assert torch.equal(sample(apply(model, cast, adapter, strength)), untouched)


def test_a_member_without_strength_keeps_the_place_and_draws_nobody(model, adapter):
    with_nobody = sample(apply(model, [Member(BOB, RIGHT, strength=0.0), Member(ADA, LEFT)], adapter), size=(16, 16))

    assert_same(with_nobody, sample(apply(model, [Member(ADA, LEFT)], adapter), size=(16, 16)))


def test_a_region_outside_of_everything_leaves_the_model_bit_for_bit(model, adapter, untouched):
    nowhere = Region("nowhere", "mask", mask=torch.zeros(8, 8))

    assert torch.equal(sample(apply(model, [Member(ADA, nowhere)], adapter)), untouched)


def test_every_layer_acts_on_its_region_and_nowhere_else(model, adapter):
    region = Region("spot", x=0.3, y=0.3, width=0.3, height=0.3)
    with record_layers(model) as (recorded, calls):
        sample(apply(recorded, [Member(ADA, region)], adapter), size=(16, 16), steps=1)

    assert [call.key for call in calls] == [*ADAPTER_LAYERS[:6], ADAPTER_LAYERS[15], *ADAPTER_LAYERS[6:15]]
    for call in calls:
        inside = token_masks([region], cells_of(call.grid, (16, 16)))[0].bool()
        for group in (0, 1):
            change = call.change(group)[0]
            assert torch.equal(change[~inside], torch.zeros_like(change[~inside]))
            assert change[inside].abs().amax(-1).min() > 0


def test_the_negative_prompt_sees_nobody_in_the_same_region(model, adapter):
    changes = {}
    for name, identity in {"ada": ADA, "bob": BOB}.items():
        with record_layers(model) as (recorded, calls):
            sample(apply(recorded, [Member(identity, LEFT)], adapter), steps=1)
        changes[name] = calls[0].change(0), calls[0].change(1)

    (positive, negative), (other_positive, other_negative) = changes["ada"], changes["bob"]
    assert torch.equal(negative, other_negative)
    assert negative.abs().max() > 0
    assert_different(positive, other_positive)


def test_the_order_of_members_does_not_matter(model, adapter):
    spots = [Region("a", width=0.3), Region("b", "ellipse", x=0.35, width=0.3), Region("c", x=0.7, width=0.3)]
    cast = [Member(who, spot) for who, spot in zip((ADA, BOB, CY), spots, strict=True)]

    assert_same(sample(apply(model, cast[::-1], adapter)), sample(apply(model, cast, adapter)))


def test_where_boxes_overlap_the_earlier_member_stands_in_front(model, adapter):
    alone = sample(apply(model, [Member(ADA, EVERYWHERE)], adapter))
    hidden = Member(BOB, Region("behind", width=0.5))

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE), hidden], adapter)), alone)
    assert_different(sample(apply(model, [hidden, Member(ADA, EVERYWHERE)], adapter)), alone)


@pytest.mark.parametrize("size", [(8, 9), (9, 33), (5, 3), (1, 1), (33, 125)])
def test_odd_and_narrow_sizes(model, adapter, size):
    cast = [Member(ADA, LEFT), Member(BOB, Region("oval", "ellipse", x=0.5, width=0.5))]
    with record_layers(model) as (recorded, calls):
        latents = sample(apply(recorded, cast, adapter), size=size, steps=1)

    assert latents.isfinite().all()
    assert all(call.change(0)[0].abs().amax() > 0 for call in calls)


def test_one_person_everywhere_is_the_plain_adapter_at_an_odd_size(model, adapter):
    expected = sample(plain_adapter(model, ADA), size=(9, 13))

    assert_same(sample(apply(model, [Member(ADA, EVERYWHERE)], adapter), size=(9, 13)), expected)


def test_pictures_of_a_batch_are_those_of_single_runs(model, adapter):
    patched = apply(model, TWO, adapter)
    pair = sample(patched, batch=2)

    alone = sample(patched, batch=1)
    assert_same(pair[:1], alone)
    assert_different(pair[1:], alone)


@pytest.mark.parametrize(
    "region",
    [
        Region("dust", x=0.5, y=0.5, width=1e-4, height=1e-4),
        Region("speck", "ellipse", x=0.5, y=0.5, width=1e-3, height=1e-3),
        Region("empty", "mask", mask=torch.zeros(64, 64)),
        Region("beyond", x=0.9, y=0.9, width=4.0, height=4.0),
    ],
    ids=lambda region: region.name,
)
def test_tiny_and_empty_regions_give_finite_pictures(model, adapter, untouched, region):
    latents = sample(apply(model, [Member(ADA, region), Member(BOB, LEFT)], adapter))

    assert latents.isfinite().all()
    assert_different(latents, untouched)


def test_adapters_with_unlike_token_counts_share_one_cast(model, adapter, tmp_path):
    other = tiny_adapter(tmp_path, tokens=6, seed=9)
    mixed = apply(model, [Member(ADA, LEFT), Member(BOB, RIGHT, adapter=other)], adapter)

    in_series = apply(apply(model, [Member(ADA, LEFT)], adapter), [Member(BOB, RIGHT)], other)
    assert_same(sample(mixed, size=(16, 16)), sample(in_series, size=(16, 16)))


@pytest.mark.parametrize("backend", ["attention_basic", "attention_split", "attention_sub_quad"])
def test_every_attention_backend_of_the_host_gives_the_same_picture(model, adapter, monkeypatch, backend):
    expected = sample(apply(model, TWO, adapter))
    monkeypatch.setattr(attention, "optimized_attention", getattr(attention, backend))

    assert_same(sample(apply(model, TWO, adapter)), expected, tolerance=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_draws_the_same_people_less_exactly(adapter, dtype):
    half = tiny_model(dtype=dtype)
    halves = sample(apply(half, [Member(ADA, LEFT), Member(ADA, RIGHT)], adapter), steps=1)

    assert_same(halves, sample(apply(half, [Member(ADA, EVERYWHERE)], adapter), steps=1), tolerance=0.2)
    assert_different(halves, sample(half, steps=1), least=0.5)


def test_photos_of_one_person_count_equally_whatever_their_length(model, adapter):
    stretched = person("Ada", 21)
    stretched.embeddings["only"][1] *= 7

    assert_same(
        sample(apply(model, [Member(stretched, LEFT)], adapter)), sample(apply(model, [Member(ADA, LEFT)], adapter))
    )
