"""What an adapter makes of people is kept between runs of the graph, by content, within a bound."""

from dataclasses import replace

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.nodes.host.adapters.adapter_group import group_of
from pack.nodes.host.adapters.bounded_cache import BoundedCache
from pack.nodes.host.adapters.keys_values import keys_values_of
from pack.nodes.host.model.blocks import cross_attention_blocks, widening
from pack.tests.host.tiny_adapters import photographed, tiny_of
from pack.tests.host.tiny_models import ADAPTER_LAYERS, LEFT, RIGHT, WIDTHS, apply, assert_same, sample, tiny_model

ADA, BOB, CY = (photographed(name, seed) for seed, name in enumerate(("Ada", "Bob", "Cy"), 1))
CPU = torch.device("cpu")


def cast(*people):
    return [Member(who, region) for who, region in zip(people, (LEFT, RIGHT), strict=True)]


@pytest.fixture
def adapter(tmp_path):
    """An adapter that has seen nobody yet."""
    return tiny_of("faceid", tmp_path)


@pytest.fixture
def projected(adapter):
    """The rows that the adapter's projection was asked for so far, call by call."""
    rows = []
    adapter.module.projection.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    return rows


def test_a_second_run_projects_nothing_and_is_bit_equal(model, adapter, projected):
    first = sample(apply(model, cast(ADA, BOB), adapter))
    assert projected == [3]  # two people and nobody

    assert torch.equal(sample(apply(model, cast(ADA, BOB), adapter)), first)
    assert projected == [3]


def test_a_changed_cast_projects_only_who_is_new(model, adapter, projected):
    sample(apply(model, cast(ADA, BOB), adapter))

    swapped = sample(apply(model, cast(CY, ADA), adapter))

    assert projected == [3, 1]
    adapter.kept.clear()
    assert_same(sample(apply(model, cast(CY, ADA), adapter)), swapped)


def test_content_decides_and_not_the_name(model, adapter, projected):
    sample(apply(model, cast(ADA, BOB), adapter))

    sample(apply(model, cast(replace(ADA, name="somebody else"), photographed("Bob", 2)), adapter))

    assert projected == [3]


def test_what_is_kept_is_on_the_cpu_in_the_models_precision_and_no_larger_than_it_must_be(adapter):
    blocks = cross_attention_blocks(tiny_model())
    group = group_of(adapter, (0, 1), (ADA, BOB), "average")

    made = keys_values_of([group], blocks, CPU, torch.bfloat16)

    assert {part.dtype for pair in made.values() for part in pair} == {torch.bfloat16}
    assert [made[key][0].shape for key in ADAPTER_LAYERS] == [(3, 4, width) for width in WIDTHS]
    assert adapter.kept.bytes == 3 * 4 * 2 * sum(WIDTHS) * 2  # sources, tokens, keys and values, bytes
    assert len(adapter.kept) == 3


def test_another_precision_is_kept_apart(adapter):
    blocks = cross_attention_blocks(tiny_model())
    group = group_of(adapter, (0,), (ADA,), "average")

    full, half = (keys_values_of([group], blocks, CPU, dtype) for dtype in (torch.float32, torch.float16))

    key = ADAPTER_LAYERS[0]
    assert full[key][0].dtype == torch.float32
    torch.testing.assert_close(half[key][0].float(), full[key][0], atol=2e-2, rtol=2e-3)


def test_a_cache_that_is_too_small_keeps_nothing_and_changes_nothing(model, adapter, projected):
    expected = sample(apply(model, cast(ADA, BOB), adapter))
    adapter.kept.clear()
    adapter.kept.most_bytes = 10

    for _ in range(2):
        assert torch.equal(sample(apply(model, cast(ADA, BOB), adapter)), expected)
    assert projected == [3, 3, 3]
    assert adapter.kept.bytes == 0


def test_the_oldest_goes_first_and_the_bound_holds():
    cache = BoundedCache(40)
    for name in "abc":
        cache.put(name, torch.zeros(4))
        cache.get("a")

    assert cache.bytes == 32
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.get("c") is not None


def test_what_is_kept_is_a_copy():
    cache, tensor = BoundedCache(100), torch.zeros(4)
    cache.put("a", tensor)
    tensor.fill_(7)

    assert cache.get("a").tolist() == [0, 0, 0, 0]


def test_older_packs_leave_the_middle_block_dead(model, adapter, tmp_path):
    blocks = cross_attention_blocks(model)
    peers = tiny_of("faceid", tmp_path, peers=True)

    ours, theirs = (
        keys_values_of([group_of(own, (0,), (ADA,), "average")], blocks, CPU, torch.float32) for own in (adapter, peers)
    )

    for key in ADAPTER_LAYERS:
        assert torch.equal(ours[key][0], theirs[key][0])
        assert torch.equal(theirs[key][1], ours[key][1] * (key[0] != "middle"))
    assert ours[("middle", 0, 0)][1].abs().min() > 0


def test_tokens_of_another_width_go_through_the_models_own_map(adapter):
    blocks = cross_attention_blocks(tiny_model())
    widen = torch.nn.Linear(64, 64)
    plain = group_of(adapter, (0,), (ADA,), "average")
    mapped = group_of(adapter, (0,), (ADA,), "average", widen)

    keys = keys_values_of([mapped], blocks, CPU, torch.float32)[ADAPTER_LAYERS[0]][0]

    tokens = adapter.module.tokens(plain.rows)
    torch.testing.assert_close(keys, adapter.module.keys_and_values(widen(tokens), 0)[0])
    assert not torch.equal(keys, keys_values_of([plain], blocks, CPU, torch.float32)[ADAPTER_LAYERS[0]][0])


def test_a_model_without_such_a_map_is_refused(model, adapter):
    kolors = replace(adapter, spec=replace(adapter.spec, token_width=4096))

    with pytest.raises(ValueError, match="which a Kolors model maps to its own width by its 'encoder_hid_proj'"):
        widening(model, kolors)
    assert widening(model, adapter) is None
