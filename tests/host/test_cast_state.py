"""What Apply Cast leaves behind (nothing), what it shares between models (nothing that changes), how often it works."""

import copy
import gc
import logging
import weakref
from collections import Counter

import comfy.model_management
import pytest
import torch
from comfy.model_management import InterruptProcessingException
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.nodes.host.effects import shares
from pack.nodes.host.effects.effect import EffectRun
from pack.tests.host.tiny_models import (
    ADA,
    ADAPTER_LAYERS,
    BOB,
    CY,
    LEFT,
    MODES,
    RIGHT,
    TWO,
    apply,
    assert_different,
    assert_same,
    conditioning,
    person,
    sample,
)
from torch.overrides import TorchFunctionMode

STRIPS = [Region(str(index), x=index / 4, width=0.25) for index in range(4)]
FOUR = tuple(Member(who, strip) for who, strip in zip((ADA, BOB, CY, person("Di", 24)), STRIPS, strict=True))


def state_of(model) -> dict:
    """Everything a patch could have changed, in a copy that later changes do not reach."""

    def copied(value):
        if isinstance(value, dict):
            return {key: copied(entry) for key, entry in value.items()}
        return [copied(entry) for entry in value] if isinstance(value, list) else value

    names = ("model_options", "wrappers", "callbacks", "patches", "object_patches", "additional_models", "attachments")
    state = {name: copied(getattr(model, name)) for name in names}
    return state | {"injections": copied(model.injections), "hooks": copied(model.hook_patches)}


def test_the_given_model_is_as_before_after_patching_and_after_a_run(model, adapter):
    weights = copy.deepcopy(model.model.state_dict())
    before = state_of(model)

    patched = apply(model, TWO, adapter)
    assert state_of(model) == before
    sample(patched)

    assert state_of(model) == before
    assert all(torch.equal(value, weights[name]) for name, value in model.model.state_dict().items())


def test_a_patched_model_is_as_before_after_a_run(model, adapter):
    patched = apply(model, TWO, adapter)
    before = state_of(patched)

    sample(patched)

    assert state_of(patched) == before


def test_unpatched_pictures_are_bit_equal_before_and_after(model, adapter):
    before = sample(model)
    sample(apply(model, TWO, adapter))

    assert torch.equal(sample(model), before)


def test_patching_the_original_again_gives_the_same_as_once(model, adapter):
    once = sample(apply(model, TWO, adapter))
    for _ in range(3):
        again = apply(model, TWO, adapter)

    assert torch.equal(sample(again), once)


def test_two_casts_in_series_are_both_there_once(model, adapter):
    together = sample(apply(model, TWO, adapter), size=(16, 16))

    series = apply(apply(model, TWO[:1], adapter), TWO[1:], adapter)

    assert_same(sample(series, size=(16, 16)), together)
    assert not series.get_additional_models()


def test_branches_of_one_model_do_not_see_each_other(model, adapter):
    base = apply(model, TWO[:1], adapter)
    expected = sample(base)
    branch, other = base.clone(), apply(base, TWO[1:], adapter)

    assert_different(sample(other), expected)
    assert torch.equal(sample(branch), expected)
    assert torch.equal(sample(base), expected)


def test_a_run_that_was_interrupted_leaves_nothing_and_the_next_is_like_new(model, adapter, monkeypatch):
    patched = apply(model, TWO, adapter)
    expected = sample(patched)
    kept, original = [], EffectRun.kept

    def watched(self, *arguments):
        made = original(self, *arguments)
        parts = [part for pair in made.values() for part in pair] if isinstance(made, dict) else [made]
        kept.extend(map(weakref.ref, parts))
        return made

    monkeypatch.setattr(EffectRun, "kept", watched)

    def stop(*_):
        assert any(made() is not None for made in kept)
        raise InterruptProcessingException

    with pytest.raises(InterruptProcessingException) as caught:
        sample(patched, callback=stop)
    gc.collect()

    assert caught.traceback  # which holds the run, and nothing that it made
    assert {made() for made in kept} == {None}
    assert torch.equal(sample(patched), expected)


def test_keys_and_values_are_projected_once_for_all_members_and_both_prompts(model, adapter):
    module, counts = adapter.module, Counter()
    adapter.kept.clear()
    hooks = [
        layer.register_forward_hook(lambda *_, which=(kind, index): counts.update([which]))
        for kind in ("to_key", "to_value")
        for index, layer in enumerate(getattr(module, kind))
    ]
    try:
        patched = apply(model, FOUR, adapter)
        sample(patched, steps=4)
        assert set(counts.values()) == {1}
        assert len(counts) == 2 * len(ADAPTER_LAYERS)
        sample(patched, steps=4)
        assert set(counts.values()) == {1}  # kept between runs
    finally:
        for hook in hooks:
            hook.remove()


class CountAttention(TorchFunctionMode):
    """How often the fused attention is called."""

    calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls += func is torch.nn.functional.scaled_dot_product_attention
        return func(*args, **(kwargs or {}))


def test_all_members_of_a_layer_go_through_one_attention_call(model, adapter):
    def calls(patched):
        with CountAttention() as count:
            sample(patched, steps=3)
        return count.calls

    assert calls(apply(model, FOUR, adapter)) - calls(model) == 3 * len(ADAPTER_LAYERS)


def test_masks_are_made_once_per_run_and_grid(model, adapter, monkeypatch):
    made = Counter()
    original = shares.token_shares

    def counting(regions, cells, *settings):
        made[len(cells.rows) - 1, len(cells.columns) - 1] += 1
        return original(regions, cells, *settings)

    monkeypatch.setattr(shares, "token_shares", counting)
    sample(apply(model, TWO, adapter), size=(16, 24), steps=4)

    assert made == {(16, 24): 1, (8, 12): 1, (4, 6): 1, (2, 3): 1}


@pytest.mark.parametrize("mode", MODES)
def test_a_layer_never_waits_for_the_device_nor_makes_masks(model, adapter, identity_operations, mode):
    patched = apply(model, FOUR, adapter, mode=mode)
    seen, layers = identity_operations(lambda: sample(patched, size=(9, 13)))

    assert layers == 2 * len(ADAPTER_LAYERS)
    waits = {"_local_scalar_dense", "nonzero", "is_nonzero", "item", "equal", "_to_copy"}
    mask_work = {"linspace", "cumsum", "cumprod", "arange", "upsample_nearest2d", "max"}
    assert seen & (waits | mask_work) == set()
    assert "index_add_" in seen


def test_the_adapters_weights_are_not_loaded_beside_the_model(model, adapter):
    patched = apply(model, TWO, adapter)
    loaded = []

    def note(*_):
        loaded.extend(entry.model.model for entry in comfy.model_management.current_loaded_models)

    sample(patched, callback=note)

    assert loaded
    assert adapter.module not in loaded
    assert {weight.device.type for weight in adapter.module.parameters()} == {"cpu"}


def test_models_that_were_unloaded_come_back_and_people_with_them(model, adapter):
    patched = apply(model, TWO, adapter)
    expected = sample(patched)
    comfy.model_management.unload_all_models()

    assert torch.equal(sample(patched), expected)


def test_chunks_that_low_memory_splits_give_the_same_picture(model, adapter, monkeypatch):
    patched = apply(model, TWO, adapter)
    expected = sample(patched)
    monkeypatch.setattr(model.model, "memory_required", lambda *_, **__: 1e30)

    assert_same(sample(patched), expected)


def test_prompts_of_unlike_length_give_finite_pictures(model, adapter):
    long = [[torch.cat([conditioning(3)[0][0], conditioning(4)[0][0]], 1), {}]]

    assert sample(apply(model, TWO, adapter), positive=long).isfinite().all()


def test_nothing_about_people_is_logged(model, adapter, caplog):
    with caplog.at_level(logging.DEBUG):
        sample(apply(model, [Member(person("Zuleika", 25), LEFT)], adapter))

    assert "Zuleika" not in caplog.text
    assert "Sampler" in caplog.text


@pytest.mark.parametrize("region", [LEFT, RIGHT])
def test_the_same_run_twice_is_bit_equal(model, adapter, region):
    patched = apply(model, [Member(ADA, region)], adapter)

    assert torch.equal(sample(patched), sample(patched))
