"""What is recorded of identities on a real UNet: where and when they act, and of which sampling."""

import gc
import weakref

import comfy.model_management
import comfy.samplers
import pytest
import torch
from pack.attention.maps.views import acted
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import recipe_named
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.effects import attention_recorder
from pack.nodes.host.effects.attention_recorder import record_attention
from pack.tests.host.tiny_models import ADA, TWO, apply, assert_same, sample, starting_noise

SIZE = (16, 16)  # every level has cells that lie in one half alone
GROUPS = [("input", 0), ("input", 1), ("input", 2), ("middle", 3), ("output", 2), ("output", 1), ("output", 0)]


@pytest.fixture
def recorded(model, adapter):
    """The model with two people side by side, recorded, and the recorder."""
    return record_attention(apply(model, TWO, adapter))


def test_recording_changes_no_bit_of_the_picture(patched):
    recorded, _ = record_attention(patched)

    assert torch.equal(sample(recorded, size=SIZE, batch=2), sample(patched, size=SIZE, batch=2))


def test_a_member_acts_inside_of_their_hard_region_and_exactly_nowhere_else(patched):
    model, recorder = record_attention(patched)
    maps = recorder.recorded(sample(model, size=SIZE, batch=2))

    assert list(maps.groups) == GROUPS
    assert maps.names == ("Ada", "Bob")
    for group, means in zip(maps.groups, maps.means, strict=True):
        half = means.shape[-1] // 2
        assert not means[:, 0, ..., half:].any(), group
        assert not means[:, 1, ..., :half].any(), group
        assert (means[:, 0, ..., :half].amax((-1, -2)) > 0).all(), group
        assert (means[:, 1, ..., half:].amax((-1, -2)) > 0).all(), group


def test_only_the_positive_prompts_rows_are_recorded(model, adapter):
    """At cfg 1 there are no others; what a person adds in the first step is then the same."""
    one, other = (record_attention(apply(model, TWO, adapter)) for _ in range(2))
    both = one[1].recorded(sample(one[0], size=SIZE, steps=1))
    alone = other[1].recorded(sample(other[0], size=SIZE, steps=1, cfg=1.0))

    for mine, expected in zip(both.means, alone.means, strict=True):
        torch.testing.assert_close(mine, expected, atol=1e-4, rtol=1e-4)


def test_pictures_of_a_batch_have_maps_of_their_own(recorded):
    model, recorder = recorded
    noise = starting_noise(2, SIZE)
    both = recorder.recorded(sample(model, noise=noise, steps=1))
    second = recorder.recorded(sample(model, noise=noise[1:], steps=1))

    for pair, alone in zip(both.means, second.means, strict=True):
        assert_same(pair[:, :, 1:], alone)
        assert not torch.equal(pair[:, :, :1], alone)


def test_every_step_is_recorded_in_its_column(model, adapter):
    late = (Member(ADA, TWO[0].region, start=0.5), TWO[1])
    patched, recorder = record_attention(apply(model, late, adapter))
    maps = recorder.recorded(sample(patched, size=SIZE, steps=6))

    acting = [[bool(step[member].any()) for step in maps.means[0]] for member in range(2)]
    assert acting[1] == [True] * 6
    assert acting[0] == [False] * 3 + [True] * 3
    assert not acted(maps, end=0.5)[0].any()


def test_strength_shows(model, adapter):
    weak = (Member(ADA, TWO[0].region, strength=0.2), TWO[1])
    patched, recorder = record_attention(apply(model, weak, adapter))
    seen = acted(recorder.recorded(sample(patched, size=SIZE)))

    assert seen[1].max() == 1
    assert 0 < seen[0].mean() < 0.5 * seen[1].mean()


@pytest.mark.parametrize("name", ["DynamicID", "InstantFamily"])
def test_published_recipes_are_recorded_too(model, adapter, name):
    patched, recorder = record_attention(patch_cast(model, TWO, adapter, recipe_named(name), 1.0))

    assert acted(recorder.recorded(sample(patched, size=SIZE))).amax((1, 2, 3)).min() > 0


def test_each_sampling_is_recorded_anew_and_known_by_its_latents(recorded):
    model, recorder = recorded
    pictures = [sample(model, noise=starting_noise(seed=seed)) for seed in (1, 2)]
    maps = [recorder.recorded(picture) for picture in pictures]

    assert not torch.equal(maps[0].means[0], maps[1].means[0])
    assert torch.equal(recorder.recorded(pictures[0].half()).means[0], maps[0].means[0])
    again = sample(model, noise=starting_noise(seed=1))
    assert torch.equal(recorder.recorded(again).means[0], maps[0].means[0])


def test_an_interrupted_sampling_leaves_nothing_and_the_next_is_whole(model, adapter, monkeypatch):
    patched = apply(model, TWO, adapter)
    model, recorder = record_attention(patched)
    latents = sample(model, size=SIZE)
    expected = recorder.recorded(latents).means
    model, recorder = record_attention(patched)
    runs, calls, original = [], [], attention_recorder.RecordingRun.add

    def stop(self, *arguments):
        runs.append(weakref.ref(self))
        calls.append(1)
        if len(calls) == 20:  # in the second step
            raise comfy.model_management.InterruptProcessingException
        original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(attention_recorder.RecordingRun, "add", stop)
        with pytest.raises(comfy.model_management.InterruptProcessingException) as caught:
            sample(model, size=SIZE)
    del caught
    gc.collect()

    assert runs[0]() is None
    with pytest.raises(ValueError, match="nothing was recorded"):
        recorder.recorded(latents)
    latents = sample(model, size=SIZE)
    assert all(map(torch.equal, recorder.recorded(latents).means, expected))


def test_two_casts_in_series_are_shown_together(model, adapter):
    series, recorder = record_attention(apply(apply(model, TWO[:1], adapter), TWO[1:], adapter))
    together, other = record_attention(apply(model, TWO, adapter))

    maps = recorder.recorded(sample(series, size=SIZE))
    assert maps.names == ("Ada", "Bob")
    expected = other.recorded(sample(together, size=SIZE))
    for mine, theirs in zip(maps.means, expected.means, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-3)


def test_two_recorders_on_one_model_both_record_and_a_place_before_the_cast_does_as_well(model, adapter):
    before, first = record_attention(model)
    both, second = record_attention(apply(before, TWO, adapter))
    latents = sample(both, size=SIZE)

    assert all(map(torch.equal, first.recorded(latents).means, second.recorded(latents).means))


def test_a_window_of_the_picture_is_recorded_where_it_lies(model, adapter):
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    windowed = ContextWindowsManualNode.execute(
        apply(model, TWO, adapter), 8, 0, "standard_static", 1, False, "flat", 3, False
    ).args[0]
    whole, recorder = record_attention(windowed)
    maps = recorder.recorded(sample(whole, size=(8, 16), steps=1))

    finest = maps.means[0]
    assert finest.shape[-2:] == (8, 16)
    assert (finest[0, 0, 0, :, :8] > 0).all()
    assert not finest[0, 0, 0, :, 8:].any()
