"""Packs that patch the same layers, before Apply Cast or after it, each in the way real packs do."""

import comfy.ldm.modules.attention as attention
import pytest
import torch
from pack.tests.host.tiny_models import ADAPTER_LAYERS, TWO, apply, assert_different, assert_same, sample

PAIRS = [key[:2] for key in ADAPTER_LAYERS]


def text(q, k, v, options):
    return attention.optimized_attention(q, k, v, options["n_heads"], attn_precision=options["attn_precision"])


def set_slots(model, keys=ADAPTER_LAYERS, amount=0.5):
    """A pack that overwrites whatever stands in the slot."""
    clone = model.clone()
    for key in keys:
        clone.set_model_attn2_replace(lambda q, k, v, options: text(q, k, v, options) + amount * q, *key)
    return clone


class Joinable:
    """A replacement that later nodes of its kind add themselves to, as IPAdapter_plus, InstantID and PuLID have it."""

    def __init__(self, amount):
        self.amounts = [amount]

    def add(self, amount):
        self.amounts.append(amount)

    def __call__(self, q, k, v, options):
        return text(q, k, v, options) + sum(self.amounts) * q


class OlderJoinable(Joinable):
    """The same with the name older packs gave the method."""

    add = None

    def set_new_condition(self, amount):
        self.amounts.append(amount)


def join_slots(model, amount, keys=PAIRS, kind=Joinable):
    """A pack that adds to what it finds in the slot, whoever put it there, and sets the slot only when it is empty."""
    clone = model.clone()
    options = clone.model_options["transformer_options"].copy()
    options["patches_replace"] = dict(options.get("patches_replace", {}))
    slots = options["patches_replace"]["attn2"] = dict(options["patches_replace"].get("attn2", {}))
    for key in keys:
        if key not in slots:
            slots[key] = kind(amount)
            clone.model_options["transformer_options"] = options
        elif kind is OlderJoinable:
            slots[key].set_new_condition(amount)
        else:
            slots[key].add(amount)
    return clone


@pytest.mark.parametrize("keys", [ADAPTER_LAYERS, PAIRS], ids=["transformer keys", "block keys"])
def test_a_replacement_that_was_there_before_is_kept(model, adapter, keys):
    other = set_slots(model, keys)

    both = sample(apply(other, TWO, adapter))

    assert_different(both, sample(apply(model, TWO, adapter)))
    assert_different(both, sample(other))


@pytest.mark.parametrize("keys", [ADAPTER_LAYERS, PAIRS], ids=["transformer keys", "block keys"])
def test_it_does_not_matter_who_patches_first(model, adapter, keys):
    theirs_first = sample(apply(set_slots(model, keys), TWO, adapter))
    theirs_last = sample(set_slots(apply(model, TWO, adapter), keys))

    assert torch.equal(theirs_last, theirs_first)


def test_a_transformer_key_goes_before_a_block_key_as_in_the_host(model, adapter):
    both_keys = set_slots(set_slots(model, PAIRS, amount=3.0), ADAPTER_LAYERS)

    assert torch.equal(sample(apply(both_keys, TWO, adapter)), sample(apply(set_slots(model), TWO, adapter)))


@pytest.mark.parametrize("keys", [ADAPTER_LAYERS, PAIRS], ids=["transformer keys", "block keys"])
@pytest.mark.parametrize("kind", [Joinable, OlderJoinable])
def test_a_pack_that_joins_three_clones_changes_each_once_and_nothing_upstream(model, adapter, keys, kind):
    upstream = join_slots(model, 0.25, keys, kind)
    before_upstream = sample(upstream)
    patched = apply(upstream, TWO, adapter)
    before = sample(patched)

    joined = [sample(join_slots(patched, 0.5, keys, kind)) for _ in range(3)]

    assert torch.equal(sample(patched), before)
    assert torch.equal(sample(upstream), before_upstream)
    assert all(torch.equal(one, joined[0]) for one in joined)
    assert_same(joined[0], sample(apply(join_slots(model, 0.75, keys, kind), TWO, adapter)))


@pytest.mark.parametrize("kind", [Joinable, OlderJoinable])
def test_a_pack_that_joins_after_apply_cast_alone_finds_an_empty_slot(model, adapter, kind):
    patched = apply(model, TWO, adapter)
    before = sample(patched)

    joined = [sample(join_slots(patched, 0.5, PAIRS, kind)) for _ in range(3)]

    assert torch.equal(sample(patched), before)
    assert all(torch.equal(one, joined[0]) for one in joined)
    assert torch.equal(joined[0], sample(apply(join_slots(model, 0.5, PAIRS, kind), TWO, adapter)))


def test_one_object_in_two_slots_stays_one_object_in_a_clone(model, adapter):
    shared = Joinable(0.25)
    clone = model.clone()
    for key in ADAPTER_LAYERS:
        clone.set_model_attn2_replace(shared, *key)

    slots = apply(clone, TWO, adapter).model_options["transformer_options"]["patches_replace"]["attn2"]

    assert len({id(patch) for patch in slots.values()}) == 1
    assert slots[ADAPTER_LAYERS[0]] is not shared


def test_an_attention_override_of_another_pack_sees_every_attention_of_the_model(model, adapter):
    calls = []

    def override(func, *args, **kwargs):
        calls.append(kwargs["transformer_options"]["block"])
        return func(*args, **kwargs)

    overridden = model.clone()
    overridden.model_options["transformer_options"]["optimized_attention_override"] = override
    sample(overridden)
    expected = calls.copy()
    calls.clear()

    assert_same(sample(apply(overridden, TWO, adapter)), sample(apply(model, TWO, adapter)))
    assert calls == expected


def test_a_lora_style_weight_patch_on_top_still_acts(model, adapter):
    patched = apply(model, TWO, adapter)
    name = "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_q.weight"
    weight = model.model.state_dict()[name]
    lora = patched.clone()
    lora.add_patches({name: ("diff", (torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)),))})

    assert_different(sample(lora), sample(patched))
    assert_different(sample(lora), sample_lora_only(model, name, weight))


def sample_lora_only(model, name, weight):
    lora = model.clone()
    lora.add_patches({name: ("diff", (torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)),))})
    return sample(lora)


def test_a_pack_that_calls_the_model_itself_is_served(model, adapter):
    """A `model_function_wrapper` that evaluates the two prompts one after the other, with positions but no uuids."""

    def one_by_one(apply_model, given):
        outs = []
        for index, x, t in zip(
            given["cond_or_uncond"], given["input"].chunk(2), given["timestep"].chunk(2), strict=True
        ):
            c = dict(given["c"])
            row = given["cond_or_uncond"].index(index)
            c["c_crossattn"] = c["c_crossattn"].chunk(2)[row]
            c["transformer_options"] = {**c["transformer_options"], "cond_or_uncond": [index]}
            outs.append(apply_model(x, t, **c))
        return torch.cat(outs)

    patched = apply(model, TWO, adapter)
    wrapped = patched.clone()
    wrapped.set_model_unet_function_wrapper(one_by_one)

    assert_same(sample(wrapped), sample(patched))
