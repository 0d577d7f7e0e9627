"""One softmax over text and identities: what it must collapse to (papers.md 4.5 and 7.4)."""

from dataclasses import replace

import pytest
import torch
from pack.attention.operators import kernel
from pack.attention.operators.kernel import fused_attention, log_mass
from pack.attention.recipes.recipe import Recipe
from pack.tests.attention.mode_inputs import HEADS, case, fast

MASKED, LITERAL = Recipe("masked"), Recipe("masked", literal=True)


def filled(c, value):
    return replace(c, shares=torch.full_like(c.shares, value))


def test_nobody_anywhere_is_the_text_bit_for_bit():
    c = case()

    assert torch.equal(fast(MASKED, filled(c, 0.0)), c.text)


def test_the_rows_of_nobody_are_the_text_bit_for_bit_beside_rows_of_somebody():
    c = case()
    c.shares[:, 2:] = 0
    c.shares[:, :2] = 1

    out = fast(MASKED, c)

    assert torch.equal(out[:, 2:], c.text[:, 2:])
    assert (out != c.text)[:, :2].any(-1).all()


def test_everybody_everywhere_is_attention_to_all_keys_at_once():
    c = case(groups=1)
    keys, values = (torch.cat([t, own[:3].flatten(0, 1)[None]], 1) for t, own in ((c.text_k, c.k), (c.text_v, c.v)))

    torch.testing.assert_close(fast(MASKED, filled(c, 1.0)), fused_attention(c.q, keys, values, HEADS))


def test_to_the_letter_a_full_mask_is_the_same_and_an_empty_one_leaks():
    c = case()

    torch.testing.assert_close(fast(LITERAL, filled(c, 1.0)), fast(MASKED, filled(c, 1.0)))
    assert (fast(LITERAL, filled(c, 0.0)) - c.text).abs().min() > 1e-4


def test_the_order_of_the_members_does_not_matter():
    c = case(groups=1)
    order = torch.tensor([2, 0, 1])
    shuffled = replace(c, shares=c.shares[..., order], sources=c.sources[..., order])

    torch.testing.assert_close(fast(MASKED, shuffled), fast(MASKED, c))


def test_a_row_outside_a_region_does_not_know_who_is_inside():
    c = case(groups=1)
    c.shares[:, 3:, 0] = 0
    other = c.k.clone()
    other[0] += 1

    before, after = fast(MASKED, c), fast(MASKED, replace(c, k=other))

    assert torch.equal(before[:, 3:], after[:, 3:])
    assert not torch.equal(before[:, :3], after[:, :3])


def test_more_strength_gives_an_identity_more_of_the_softmax_and_none_gives_nothing():
    c = case(groups=1, members=1, width=2)
    c = replace(filled(c, 1.0), text_v=torch.zeros_like(c.text_v), v=torch.ones_like(c.v))

    share = [fast(Recipe("masked", odds=odds), c).mean().item() for odds in (1e-6, 0.5, 1.0, 4.0, 1e6)]

    assert share == sorted(share)
    assert share[0] < 1e-4
    assert share[-1] > 1 - 1e-4
    assert torch.equal(fast(MASKED, replace(c, strengths=torch.zeros(1))), c.text)


def test_the_strength_of_a_layer_counts_like_odds():
    c = case()

    torch.testing.assert_close(fast(MASKED, c, strength=3.0), fast(Recipe("masked", odds=3.0), c))


def test_one_person_on_every_part_of_a_partition_is_one_person_everywhere():
    c = case(groups=1)
    parts = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2, 2, 0, 1]]), 3).float()
    whole = torch.tensor([1.0, 0, 0]).expand(1, 6, 3)

    apart = fast(MASKED, replace(c, shares=parts, sources=torch.zeros_like(c.sources)))

    torch.testing.assert_close(apart, fast(MASKED, replace(c, shares=whole)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_logits_beyond_half_precision_stay_finite(dtype):
    c = case(dtype=dtype)

    assert fast(MASKED, replace(filled(c, 1.0), q=c.q * 200, k=c.k * 200, text_k=c.text_k * 200)).isfinite().all()


def test_masses_in_parts_are_the_masses_at_once(monkeypatch):
    c = case(images=2)
    at_once = log_mass(c.q, c.text_k, HEADS)
    monkeypatch.setattr(kernel, "SCORES_ON_CPU", 3 * c.q.shape[1] * c.text_k.shape[1])

    torch.testing.assert_close(log_mass(c.q, c.text_k, HEADS), at_once)
