"""Local prompts against their formula, and what they leave alone."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.operators.kernel import fused_attention
from pack.attention.operators.local_prompts import lay_out_prompts, mix_prompts
from pack.tests.attention.reference_text import local_text

HEADS, WIDTH, TOKENS = 2, 8, 6


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def prompts(lengths, seed=5):
    """[M] of (keys, values), None for a length of 0."""
    return [
        (randoms(length, WIDTH, seed=seed + 2 * i), randoms(length, WIDTH, seed=seed + 2 * i + 1)) if length else None
        for i, length in enumerate(lengths)
    ]


def mixed(q, text, members, shares, positive, base, images=1):
    """The pack's own way: the text's attention, and it with the members' prompts."""
    onto = fused_attention(q, *text, HEADS)
    lengths = [len(pair[0]) if pair else 0 for pair in members]
    stacks = {
        length: tuple(
            torch.stack([pair[side] for pair in members if pair and len(pair[0]) == length]) for side in (0, 1)
        )
        for length in set(lengths)
        if length
    }
    layout = lay_out_prompts(shares, positive, lengths, base, images)
    return onto, mix_prompts(onto, q, stacks, layout, HEADS)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 2, 3, 3, 7]), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=3),
    st.integers(1, 2),
    st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    st.integers(0, 99),
)
def test_local_prompts_are_their_formula(lengths, positive, images, base, seed):
    rows = len(positive) * images
    q, text = randoms(rows, TOKENS, WIDTH, seed=seed), [randoms(rows, 5, WIDTH, seed=seed + i) for i in (1, 2)]
    shares = torch.rand(len(positive), TOKENS, len(lengths), generator=torch.Generator().manual_seed(seed))
    shares = shares * (shares > 0.4)
    shares = shares / shares.sum(-1, keepdim=True).clamp(min=1)
    members = prompts(lengths)

    _, out = mixed(q, text, members, shares, positive, base, images)

    for group, follows in enumerate(positive):
        part = slice(group * images, (group + 1) * images)
        keys, values = ([pair[side] if pair else None for pair in members] for side in (0, 1))
        expected = local_text(
            q[part], text[0][part], text[1][part], keys, values, shares[group], base, [follows] * images, HEADS
        )
        torch.testing.assert_close(out[part].double(), expected, atol=2e-5, rtol=2e-5)


def test_a_prompt_equal_to_the_pictures_changes_nothing():
    q, text = randoms(1, TOKENS, WIDTH, seed=1), [randoms(1, 5, WIDTH, seed=i) for i in (2, 3)]
    shares = torch.rand(1, TOKENS, 2, generator=torch.Generator().manual_seed(4)) / 2

    onto, out = mixed(q, text, [(text[0][0], text[1][0])] * 2, shares, [True], 0.2)

    torch.testing.assert_close(out, onto, atol=1e-6, rtol=1e-5)


def test_rows_without_a_share_and_rows_of_other_prompts_stay_bit_for_bit():
    q, text = randoms(2, TOKENS, WIDTH, seed=1), [randoms(2, 5, WIDTH, seed=i) for i in (2, 3)]
    shares = torch.zeros(2, TOKENS, 1)
    shares[:, :3] = 1.0

    onto, out = mixed(q, text, prompts([4]), shares, [True, False], 0.0)

    assert torch.equal(out[0, 3:], onto[0, 3:])
    assert torch.equal(out[1], onto[1])
    assert not torch.allclose(out[0, :3], onto[0, :3])


def test_a_base_of_one_and_a_cast_without_prompts_change_nothing():
    q, text = randoms(1, TOKENS, WIDTH, seed=1), [randoms(1, 5, WIDTH, seed=i) for i in (2, 3)]
    shares = torch.full((1, TOKENS, 2), 0.5)

    for members, base in ((prompts([4, 4]), 1.0), ([None, None], 0.2)):
        onto, out = mixed(q, text, members, shares, [True], base)
        assert torch.equal(out, onto)


def test_prompts_split_a_cell_whose_shares_add_up_to_more_than_one():
    q, text = randoms(1, TOKENS, WIDTH, seed=1), [randoms(1, 5, WIDTH, seed=i) for i in (2, 3)]
    members = prompts([4, 4])

    _, both = mixed(q, text, members, torch.ones(1, TOKENS, 2), [True], 0.0)
    _, halves = mixed(q, text, members, torch.full((1, TOKENS, 2), 0.5), [True], 0.0)

    torch.testing.assert_close(both, halves)
