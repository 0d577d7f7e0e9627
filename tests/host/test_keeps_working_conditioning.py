"""Apply Cast under everything ComfyUI can do to prompts, in every mode: batches, masks, areas, prompts of any length.

Prompts of unlike length are repeated to the least common multiple where they share a call: that must not change what
people weigh against the text, and a picture must not depend on what fits into memory.
"""

import comfy.model_management
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.masked_prompts import half, masked
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    NEGATIVE,
    POSITIVE,
    TWO,
    apply,
    assert_different,
    assert_same,
    conditioning,
    sample,
    starting_noise,
)

import nodes

MIDDLE = conditioning(13)
LONG = [[torch.cat([conditioning(14)[0][0], conditioning(15)[0][0]], 1), {}]]  # 154 tokens
SPOT = Region("spot", x=0.5, y=0.25, width=0.25, height=0.5)  # of 16 x 16: rows 4 to 11, columns 8 to 11


def test_a_batch_of_three_is_three_single_runs(patched):
    noise = starting_noise(batch=3)

    single = torch.cat([sample(patched, noise=noise[i : i + 1]) for i in range(3)])

    assert_same(sample(patched, noise=noise), single)
    assert_different(single[1:], single[:-1])


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (POSITIVE, NEGATIVE),
        (masked(POSITIVE, half("left")) + masked(MIDDLE, half("right")), NEGATIVE),
        (LONG, NEGATIVE),
        (POSITIVE, LONG),
        (masked(POSITIVE, half("left")) + masked(LONG, half("right")), NEGATIVE),
    ],
    ids=["one positive", "two positives", "long positive", "long negative", "two positives, one long"],
)
def test_prompts_in_one_call_are_those_of_calls_that_low_memory_splits(
    patched, unet_calls, monkeypatch, positive, negative, batch
):
    together = sample(patched, positive, negative, batch=batch, steps=1)
    rows = (len(positive) + len(negative)) * batch
    assert unet_calls == [rows]
    unet_calls.clear()

    monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda *_, **__: 1)
    assert_same(sample(patched, positive, negative, batch=batch, steps=1), together)
    assert unet_calls == [batch] * (rows // batch)


def test_the_same_prompt_twice_is_that_prompt_once(patched):
    assert_same(sample(patched, POSITIVE + POSITIVE), sample(patched))


@pytest.mark.parametrize("other", [MIDDLE, LONG], ids=["as long", "longer"])
def test_a_prompt_for_each_half_is_in_its_half_what_it_is_alone(patched, other):
    both = masked(POSITIVE, half("left")) + masked(other, half("right"))

    seen = sample(patched, both, cfg=1.0, steps=1)

    assert_same(seen[..., :4], sample(patched, POSITIVE, cfg=1.0, steps=1)[..., :4])
    assert_same(seen[..., 4:], sample(patched, other, cfg=1.0, steps=1)[..., 4:])


def test_a_mask_of_a_prompt_leaves_the_regions_where_they_are(model, adapter, mode):
    both = masked(POSITIVE, half("left", 16)) + masked(MIDDLE, half("right", 16))
    with record_layers(model) as (recorded, calls):
        patched = apply(recorded, [Member(ADA, SPOT)], adapter, mode=mode)
        sample(patched, both, size=(16, 16), steps=1)

    assert_only_inside(calls, [SPOT], (16, 16), least=16)
    assert calls[0].groups == [1, 0, 0]


CROPS = {
    "area": (nodes.ConditioningSetArea().append(POSITIVE, 88, 72, 40, 24, 1.0)[0], (9, 11, 3, 5)),
    "area in percent": (
        nodes.ConditioningSetAreaPercentage().append(POSITIVE, 0.5, 0.75, 0.25, 0.25, 1.0)[0],
        (12, 8, 4, 4),
    ),
    "mask bounds": (
        masked(POSITIVE, torch.nn.functional.pad(torch.ones(9, 10), (4, 2, 2, 5)), "mask bounds"),
        (9, 10, 2, 4),
    ),
}


@pytest.mark.parametrize("name", CROPS)
@pytest.mark.parametrize("batch", [1, 2])
def test_regions_land_at_the_right_cells_of_a_crop(model, adapter, mode, name, batch):
    positive, area = CROPS[name]
    with record_layers(model) as (recorded, calls):
        patched = apply(recorded, [Member(ADA, SPOT), Member(BOB, Region("edge", y=0.75))], adapter, mode=mode)
        sample(patched, positive, size=(16, 16), steps=1, batch=batch)

    grids = {(-(-area[0] >> level), -(-area[1] >> level)) for level in range(4)}
    cropped = [call for call in calls if call.grid in grids - {(16 >> level, 16 >> level) for level in range(4)}]
    assert_only_inside(cropped, [SPOT, Region("edge", y=0.75)], (16, 16), area, batch, least=9)


def test_an_area_of_the_whole_picture_is_no_area(patched):
    whole = nodes.ConditioningSetAreaPercentage().append(POSITIVE, 1.0, 1.0, 0.0, 0.0, 1.0)[0]

    assert_same(sample(patched, whole), sample(patched))


def test_a_crop_of_one_half_sees_only_who_stands_there(model, adapter, mode):
    positive = nodes.ConditioningSetArea().append(POSITIVE, 64, 128, 64, 0, 1.0)[0]  # the right half
    both, right, left = (
        sample(apply(model, cast, adapter, mode=mode), positive, size=(16, 16), cfg=1.0, steps=1)[..., 8:]
        for cast in (TWO, TWO[1:], TWO[:1])
    )

    assert_same(both, right)
    assert torch.equal(left, sample(model, positive, size=(16, 16), cfg=1.0, steps=1)[..., 8:])
    assert_different(left, right)
