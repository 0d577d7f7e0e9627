"""Masked and gated attention against their formulas, written by someone who had not read the fast code."""

from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.recipes.recipe import Gate, Recipe
from pack.tests.attention import reference_modes as slow
from pack.tests.attention.mode_inputs import HEADS, case, fast, slow_gated, slow_masked

TOLERANCE = {torch.float32: 2e-5, torch.float16: 2e-2, torch.bfloat16: 1.5e-1}
NUMBERS = st.sampled_from([0.0, 0.0, 0.25, 1.0, 2.5])


@st.composite
def cases(draw):
    groups, images, members = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 4))
    tokens, length = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(list(TOLERANCE)))
    c = case(groups, images, tokens, members, length, seed=draw(st.integers(0, 99)), dtype=dtype)
    shares = draw(st.lists(NUMBERS, min_size=c.shares.numel(), max_size=c.shares.numel()))
    strengths = draw(st.lists(NUMBERS, min_size=members, max_size=members))
    if draw(st.booleans()):  # pictures of a batch with photos of their own
        c.sources[0] = torch.randint(0, members, c.sources[0].shape, generator=torch.Generator().manual_seed(tokens))
    return replace(c, shares=torch.tensor(shares).view_as(c.shares), strengths=torch.tensor(strengths))


def close(out, expected, dtype):
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), expected, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@settings(max_examples=80, deadline=None)
@given(cases(), st.sampled_from([1.0, 7.0]), st.booleans())
def test_masked_attention_is_its_formula(c, odds, literal):
    if literal:
        c = replace(c, shares=c.shares.clamp(max=1))
    recipe = Recipe("masked", odds=odds, literal=literal)

    close(fast(recipe, c), slow_masked(recipe, c), c.q.dtype)


@settings(max_examples=80, deadline=None)
@given(cases(), st.booleans(), st.booleans(), st.sampled_from([(0.0, 100.0), (10.0, 75.0)]), st.sampled_from([0, 0.3]))
def test_gated_attention_is_its_formula(c, joint, regional, percentiles, threshold):
    c = replace(c, q=c.q.float(), text_k=c.text_k.float(), text_v=c.text_v.float(), k=c.k.float(), v=c.v.float())
    if regional:
        c = replace(c, strengths=c.strengths.clamp(min=0.5))
    recipe = Recipe("gated", gate=Gate(joint, regional, *percentiles, threshold))

    close(fast(recipe, c), slow_gated(recipe, c), torch.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 3), st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 4.0]))
def test_the_released_gate_is_what_the_code_does_step_by_step(seed, members, threshold, boost):
    c = case(2, 2, 7, members, seed=seed)
    owner = torch.randint(-1, members, (2, 7), generator=torch.Generator().manual_seed(seed))
    c = replace(c, shares=torch.stack([owner == m for m in range(members)], -1).float())
    recipe = Recipe("gated", gate=Gate(released=True, threshold=threshold, boost=boost))

    out = fast(recipe, c, strength=0.7, boosted=True)

    tokens, boxes = (c.tokens(c.k), c.tokens(c.v)), c.row_shares.bool()
    close(out, slow.released(c.text, c.q, *tokens, boxes, 0.7, HEADS, threshold, boost), torch.float32)
    unboosted = slow.released(c.text, c.q, *tokens, boxes, 0.7, HEADS, threshold, 0.0)
    close(fast(recipe, c, strength=0.7), unboosted, torch.float32)
