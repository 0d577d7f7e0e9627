"""Runs that draw a part of a picture: people stand where they stand in the whole of it."""

from types import SimpleNamespace

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.nodes.control.crop_nodes import DetailerHook, FollowCrops
from pack.nodes.host.model.crops import Crop, CropMarker, follow_crops
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_models import ADA, NEGATIVE, POSITIVE, apply, assert_same, sample

SPOT = Region("spot", x=0.75, y=0.25, width=0.125, height=0.5)  # of 16: rows 4 to 11, columns 12 and 13


def cut(conditioning, box, tile):
    """What Ultimate SD Upscale does to a prompt's hints: copies, cut out and resized to the tile, chain and all."""
    out = []
    for tokens, values in conditioning:
        own = dict(values)
        given, first, last = values["control"], None, None
        while given is not None:
            control = given.copy()
            hint = control.cond_hint_original
            height, width = hint.shape[-2:]
            rows = slice(round(box[0] * height), round((box[0] + box[2]) * height))
            columns = slice(round(box[1] * width), round((box[1] + box[3]) * width))
            resized = torch.nn.functional.interpolate(hint[..., rows, columns], tile, mode="nearest-exact")
            control.cond_hint_original = resized
            first = first or control
            if last is not None:
                last.set_previous_controlnet(control)
            last, given = control, given.previous_controlnet
        out.append([tokens, {**own, "control": first}])
    return out


def changed_inside(model, adapter, mode, positive, size, area):
    with record_layers(model) as (recorded, calls):
        patched = apply(recorded, [Member(ADA, SPOT)], adapter, mode=mode)
        sample(patched, positive, NEGATIVE, size=size, steps=1)
    positives = [call for call in calls if call.groups == [0]]
    assert_only_inside(positives or calls, [SPOT], (16, 16), area, least=16)


def test_a_tile_of_an_upscaler_has_the_regions_of_its_part(model, adapter, mode):
    positive = cut(follow_crops([POSITIVE])[0], (0.25, 0.5, 0.5, 0.5), (64, 64))

    changed_inside(model, adapter, mode, positive, (8, 8), (8, 8, 4, 8))


def test_a_crop_that_is_named_has_the_regions_of_its_part(model, adapter, mode):
    image, box = torch.zeros(1, 128, 128, 3), {"x": 64, "y": 32, "width": 64, "height": 64}
    positive, negative = FollowCrops.execute(POSITIVE, NEGATIVE, image, box).args

    assert negative[0][0] is NEGATIVE[0][0]
    changed_inside(model, adapter, mode, positive, (8, 8), (8, 8, 4, 8))


def test_a_prompt_that_follows_nothing_is_the_prompt(model, adapter, mode):
    patched = apply(model, [Member(ADA, SPOT)], adapter, mode=mode)

    assert torch.equal(sample(patched, *FollowCrops.execute(POSITIVE, NEGATIVE).args), sample(patched))
    assert "control" not in POSITIVE[0][1]


def test_a_crop_without_its_picture_is_refused():
    with pytest.raises(ValueError, match="Connect the whole picture"):
        FollowCrops.execute(POSITIVE, NEGATIVE, None, {"x": 0, "y": 0, "width": 8, "height": 8})


@pytest.mark.parametrize("side", [8, 64, 513, 1024])
def test_what_is_left_of_the_map_says_where_it_was_cut(side):
    marked = cut(follow_crops([POSITIVE])[0], (0.125, 0.375, 0.5, 0.25), (side, side))

    crop = marked[0][1]["control"].crop
    for found, expected in zip((crop.top, crop.left, crop.height, crop.width), (0.125, 0.375, 0.5, 0.25), strict=True):
        assert abs(found - expected) < 1e-3


def test_the_marker_stands_in_a_chain_of_controlnets_and_says_nothing(control):
    marked = follow_crops([[[POSITIVE[0][0], {"control": control}]]])[0][0][1]["control"]

    assert isinstance(marked, CropMarker)
    assert marked.previous_controlnet is control
    assert follow_crops([[[POSITIVE[0][0], {"control": marked}]]])[0][0][1]["control"].previous_controlnet is control


def detailed(hook, segments, scale=4):
    """What a detailer does with its hook: after a detection, segment by segment."""
    hook.post_detection(((128, 128), segments))
    crops = []
    for left, top, right, bottom in (segment.crop_region for segment in segments):
        hook.touch_scaled_size((right - left) * scale, (bottom - top) * scale)
        hook.set_steps((0, 1))
        latent = hook.cycle_latent({})
        positive = hook.pre_ksample(None, 0, 1, 1.0, "", "", POSITIVE, NEGATIVE, latent, 0.5)[6]
        crops.append(positive[0][1]["control"].crop)
    return crops


def test_a_detailer_draws_each_face_with_the_regions_of_its_part(model, adapter):
    boxes = [(64, 32, 128, 96), (0, 0, 32, 64), (32, 0, 64, 64)]
    hook = DetailerHook.execute().args[0]
    crops = detailed(hook, [SimpleNamespace(crop_region=box) for box in boxes])

    for crop, (left, top, right, bottom) in zip(crops, boxes, strict=True):
        expected = torch.tensor([top, left, bottom - top, right - left]) / 128
        found = torch.tensor([crop.top, crop.left, crop.height, crop.width])
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    changed_inside(model, adapter, "decoupled", follow_crops([POSITIVE], crops[0])[0], (8, 8), (8, 8, 4, 8))


def test_a_detailer_that_samples_something_else_is_told_once_and_gets_the_prompt(caplog):
    hook = DetailerHook.execute(((128, 128), [SimpleNamespace(crop_region=(0, 0, 64, 64))])).args[0]

    hook.touch_scaled_size(512, 64)
    assert hook.pre_ksample(None, 0, 1, 1.0, "", "", POSITIVE, NEGATIVE, {}, 0.5)[6] is POSITIVE
    assert "none of its segments" in caplog.text


def test_a_larger_sampling_of_a_part_keeps_its_place(model, adapter):
    patched = apply(model, [Member(ADA, Region("right", x=0.5, width=0.5))], adapter)
    half = follow_crops([POSITIVE], Crop(0.0, 0.5, 1.0, 0.5))[0]
    everywhere = apply(model, [Member(ADA, Region("all"))], adapter)

    assert_same(sample(patched, half, size=(16, 8)), sample(everywhere, size=(16, 8)))
