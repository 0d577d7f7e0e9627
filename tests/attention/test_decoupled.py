"""Decoupled attention against its formula, and the ways in which it must collapse to something simpler."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.adapters.identity_adapter import join_sources
from pack.attention.operators.decoupled import identity_attention
from pack.attention.operators.kernel import fused_attention
from pack.attention.operators.packed_rows import pack_rows
from pack.tests.attention import reference

HEADS = 2


def inputs(rows=2, tokens=6, sources=3, length=4, width=8, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    text, q = random(rows, tokens, width), random(rows, tokens, width)
    return text, q, random(sources, length, width), random(sources, length, width)


def plain(text, q, k, v, strength=1.0):
    """IP-Adapter without regions: the text's attention plus that to one person's tokens."""
    own = fused_attention(q, k[:1].expand(len(q), -1, -1), v[:1].expand(len(q), -1, -1), HEADS)
    return text + strength * own


def run(text, q, k, v, share, images=1):
    """share [G, N, S]."""
    return identity_attention(text, q, k, v, pack_rows(share, images).to(q.device, q.dtype), HEADS)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_is_the_formula_for_any_shares(data):
    groups, images = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    tokens, sources = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 5))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float16, torch.bfloat16]))
    text, q, k, v = inputs(groups * images, tokens, sources, data.draw(st.integers(1, 5)), seed=tokens, dtype=dtype)
    values = st.sampled_from([0.0, 0.0, 1.0, 0.5, 0.125, -1.0, 3.0])
    count = groups * tokens * sources
    share = torch.tensor(data.draw(st.lists(values, min_size=count, max_size=count))).view(groups, tokens, sources)

    out = run(text, q, k, v, share, images)

    expected = reference.decoupled(text, q, k, v, share.repeat_interleave(images, 0), HEADS)
    tolerance = {torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1.5e-1}[dtype]
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), expected, atol=tolerance, rtol=tolerance)


def test_tokens_without_a_share_get_exactly_nothing():
    text, q, k, v = inputs()
    share = torch.zeros(2, 6, 3)
    share[:, :2, 0] = 0.7

    out = run(torch.zeros_like(text), q, k, v, share)

    assert torch.equal(out[:, 2:], torch.zeros(2, 4, 8))
    assert out[:, :2].abs().min() > 0
    assert torch.equal(run(text, q, k, v, share)[:, 2:], text[:, 2:])


def test_no_share_at_all_returns_the_text_bit_for_bit_without_a_call():
    text, q, k, v = inputs()

    def never(*_):
        raise AssertionError("attended to nobody")

    out = identity_attention(text, q, k, v, pack_rows(torch.zeros(2, 6, 3)), HEADS, attend=never)

    assert torch.equal(out, text)


def test_one_full_mask_is_the_plain_adapter():
    text, q, k, v = inputs()
    share = torch.zeros(2, 6, 3)
    share[..., 0] = 1

    torch.testing.assert_close(run(text, q, k, v, share), plain(text, q, k, v), atol=1e-6, rtol=0)


def test_one_person_on_every_part_of_a_partition_is_one_person_everywhere():
    text, q, k, v = inputs()
    same_k, same_v = k[:1].expand(3, -1, -1), v[:1].expand(3, -1, -1)
    share = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2, 2, 0, 1]] * 2), 3).float()

    torch.testing.assert_close(run(text, q, same_k, same_v, share), plain(text, q, k, v), atol=1e-6, rtol=0)


def test_the_order_of_the_members_does_not_matter():
    text, q, k, v = inputs()
    share = torch.rand(2, 6, 3, generator=torch.Generator().manual_seed(3))
    order = [2, 0, 1]

    shuffled = run(text, q, k[order], v[order], share[..., order])

    torch.testing.assert_close(shuffled, run(text, q, k, v, share), atol=1e-6, rtol=0)


def test_the_order_of_the_rows_does_not_matter():
    text, q, k, v = inputs()
    share = torch.rand(2, 6, 3, generator=torch.Generator().manual_seed(3))

    turned = run(text.flip(0), q.flip(0), k, v, share.flip(0))

    torch.testing.assert_close(turned.flip(0), run(text, q, k, v, share), atol=1e-6, rtol=0)


def test_changing_one_person_changes_nothing_where_that_person_has_no_share():
    text, q, k, v = inputs()
    share = torch.tensor([1.0, 0, 0]).repeat(2, 6, 1)
    share[:, 3:] = torch.tensor([0, 0.5, 0.5])
    other_k = k.clone()
    other_k[0] += 1

    before, after = run(text, q, k, v, share), run(text, q, other_k, v, share)

    assert torch.equal(before[:, 3:], after[:, 3:])
    assert not torch.equal(before[:, :3], after[:, :3])


def test_all_members_go_through_one_attention_call_over_no_more_rows_than_they_hold():
    text, q, k, v = inputs(rows=2, tokens=64, sources=8)
    share = torch.nn.functional.one_hot(torch.arange(64) // 8, 8).float().expand(2, -1, -1)
    calls = []

    def counting(q, k, v, heads):
        calls.append(q.shape)
        return fused_attention(q, k, v, heads)

    identity_attention(text, q, k, v, pack_rows(share), HEADS, attend=counting)

    assert len(calls) == 1
    assert calls[0][0] * calls[0][1] == 2 * 64


def test_pages_of_unequal_regions_waste_little():
    share = torch.zeros(1, 1024, 3)
    share[:, :900, 0] = 1
    share[:, 900:930, 1] = 1
    share[:, 930:940, 2] = 1

    assert pack_rows(share).rows.numel() < 1.35 * 940


def test_within_a_layer_of_shares_no_position_is_added_to_twice():
    share = torch.rand(2, 9, 4, generator=torch.Generator().manual_seed(0)).round(decimals=1) - 0.3
    pages = pack_rows(share.clamp(min=0), images=2)

    assert len(pages.share) > 1
    for layer in pages.share:
        positions = pages.rows[layer != 0]
        assert len(positions.unique()) == len(positions)


def test_large_logits_in_half_precision_stay_finite():
    text, q, k, v = inputs(dtype=torch.float16)
    out = run(text, q * 200, k * 200, v, torch.ones(2, 6, 3))

    assert out.isfinite().all()


@pytest.mark.parametrize("index", range(6))
def test_one_token_alone_is_enough(index):
    text, q, k, v = inputs()
    share = torch.zeros(2, 6, 3)
    share[:, index, 1] = 1

    out = run(text, q, k, v, share)

    changed = (out != text).any(-1)
    assert changed[:, index].all()
    assert changed.sum() == 2


def test_sources_of_unlike_token_counts_join_without_changing_their_attention():
    text, q, k, v = inputs(sources=2, length=4)
    long_k, long_v = inputs(sources=2, length=6, seed=1)[2:]
    share = torch.rand(2, 6, 4, generator=torch.Generator().manual_seed(3))

    joined = run(text, q, join_sources([k, long_k]), join_sources([v, long_v]), share)

    apart = run(run(text, q, k, v, share[..., :2]), q, long_k, long_v, share[..., 2:])
    torch.testing.assert_close(joined, apart, atol=1e-6, rtol=0)
