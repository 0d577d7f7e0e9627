"""Record Attention and Attention Maps as nodes: pictures, strips and masks, and what is said when nothing fits."""

import gc
import weakref

import pytest
import torch
from pack.nodes.cast.attention_nodes import AttentionMaps, RecordAttention
from pack.nodes.host.effects.attention_recorder import KEPT, record_attention
from pack.tests.host.tiny_models import TWO, apply, sample, starting_noise


@pytest.fixture
def recorded(model, adapter):
    """The model with two people side by side, recorded, and the recorder."""
    return record_attention(apply(model, TWO, adapter))


def shown(recorder, latents, images=None, **settings):
    """Overlays, strip and masks."""
    return AttentionMaps.execute(recorder, {"samples": latents}, images=images, **settings).args


def test_a_sampling_too_many_is_forgotten_and_said_to_be(recorded):
    model, recorder = recorded
    first, *_ = [sample(model, noise=starting_noise(seed=seed), steps=1) for seed in range(KEPT + 1)]

    with pytest.raises(ValueError, match="Troupe, Attention Maps: .*of other latents.*change its seed"):
        shown(recorder, first)


def test_latents_of_another_sampler_are_not_shown_with_these_maps(model, recorded):
    sample(recorded[0])

    with pytest.raises(ValueError, match="straight from the sampler"):
        shown(recorded[1], sample(model))


def test_nothing_recorded_says_what_to_connect(model):
    untouched, recorder = record_attention(model)

    with pytest.raises(ValueError, match="Troupe, Attention Maps: nothing was recorded. Put Record Attention after"):
        shown(recorder, sample(untouched))


def test_another_number_of_images_is_refused(recorded):
    latents = sample(recorded[0], batch=2)

    with pytest.raises(ValueError, match="got 3 images and samples of 2"):
        shown(recorded[1], latents, torch.zeros(3, 64, 64, 3))


def test_the_recorder_goes_with_the_graphs_result(model, adapter):
    patched, recorder = RecordAttention.execute(apply(model, TWO, adapter)).args
    sample(patched)
    gone = weakref.ref(recorder)
    del patched, recorder
    gc.collect()

    assert gone() is None


def test_outputs_are_a_picture_for_each_member_and_a_strip(recorded):
    model, recorder = recorded
    latents = sample(model, size=(8, 16), batch=2)
    images = torch.rand(2, 64, 128, 3)

    overlays, strip, masks = shown(recorder, latents, images)
    assert overlays.shape == (4, 512, 1024, 3)
    assert masks.shape == (4, 64, 128)
    assert strip.shape[0] == 2
    assert torch.equal(masks.amax((1, 2)).view(2, 2).amax(1), torch.ones(2))
    assert not masks[0::2, :, 64:].any()
    assert not masks[1::2, :, :64].any()


@pytest.mark.parametrize("strip", ["steps", "layers"])
def test_a_strip_has_a_column_for_each_step_or_layer_group(recorded, strip):
    latents = sample(recorded[0], steps=3)

    wide = shown(recorded[1], latents, strip=strip)[1].shape[2]
    assert wide == {"steps": 3, "layers": 7}[strip] * (128 + 8) + 8


def test_without_images_the_maps_are_drawn_on_grey(recorded):
    latents = sample(recorded[0])
    overlays, _, masks = shown(recorded[1], latents)

    assert masks.shape == (2, 64, 64)
    assert overlays.shape == (2, 512, 512, 3)


def test_a_part_of_the_schedule_without_a_step_is_refused(recorded):
    latents = sample(recorded[0])

    with pytest.raises(ValueError, match="Troupe, Attention Maps: from 0.6 to 0.4 of the schedule there is no step"):
        shown(recorded[1], latents, start=0.6, end=0.4)
