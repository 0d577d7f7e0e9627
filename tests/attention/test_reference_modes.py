"""The slow reference of the mode `masked` against numbers worked out by hand, and what the paper says must hold."""

import math

import pytest
import torch
from pack.tests.attention.reference_modes import masked, softmax_attention

HEADS, ROWS, QUERIES, WIDTH, PEOPLE = 2, 2, 6, 4, 3


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def people(seed=1, lengths=(2, 3, 1)):
    """keys[b][i] or values[b][i] of people who bring different numbers of tokens."""
    return [[randoms(t, WIDTH, seed=seed + 10 * b + 100 * i) for i, t in enumerate(lengths)] for b in range(ROWS)]


Q = randoms(ROWS, QUERIES, WIDTH, seed=2)
TEXT_K, TEXT_V = randoms(ROWS, 5, WIDTH, seed=4), randoms(ROWS, 5, WIDTH, seed=5)
KEYS, VALUES = people(seed=6), people(seed=7)
SHARES = randoms(ROWS, QUERIES, PEOPLE, seed=8).sigmoid()
STRENGTHS = (0.5, 1.0, 1.5)
STRIPS = torch.eye(PEOPLE, dtype=torch.bool).repeat_interleave(2, 0).expand(ROWS, -1, -1)


def run_masked(masks, odds=STRENGTHS, literal=False):
    return masked(Q, TEXT_K, TEXT_V, KEYS, VALUES, masks, odds, HEADS, literal)


def text_alone():
    return torch.stack([softmax_attention(Q[b], TEXT_K[b], TEXT_V[b], HEADS) for b in range(ROWS)])


def close(one, other):
    return torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


def test_softmax_attention_divides_by_the_root_of_the_head_width():
    k = torch.zeros(2, 8, dtype=torch.float64)
    k[1, :4], k[1, 4:] = math.log(3) / 2, math.log(9) / 2  # 4 channels over a root of 2: logits of log 3 and log 9
    v = torch.tensor([[0.0] * 8, [1.0] * 8])

    out = softmax_attention(torch.ones(1, 8), k, v, heads=2)

    assert close(out, torch.tensor([[0.75] * 4 + [0.9] * 4], dtype=torch.float64))


def test_softmax_attention_is_what_torch_computes():
    def split(t):
        return t.unflatten(-1, (HEADS, -1)).transpose(0, 1)

    own = torch.nn.functional.scaled_dot_product_attention(split(Q[0]), split(TEXT_K[0]), split(TEXT_V[0]))

    assert close(softmax_attention(Q[0], TEXT_K[0], TEXT_V[0], HEADS), own.transpose(0, 1).flatten(1))


@pytest.mark.parametrize(
    ("mask", "odds", "literal", "expected"),
    [
        (1.0, 1.0, False, (2 + 3 * 8) / (1 + 3)),  # weights: 1 for the text, 3 for the person
        (0.5, 1.0, False, (2 + 1.5 * 8) / (1 + 1.5)),
        (0.5, 4.0, False, (2 + 6 * 8) / (1 + 6)),
        (0.0, 1.0, False, 2.0),
        (1.0, 1.0, True, (2 + 3 * 8) / (1 + 3)),
        (0.5, 1.0, True, (2 + 3**0.5 * 8) / (1 + 3**0.5)),
        (0.0, 1.0, True, (2 + 8) / 2),
        (0.0, 4.0, True, (2 + 4 * 8) / 5),
        (1.0, 0.0, True, 2.0),
    ],
)
def test_masked_by_hand(mask, odds, literal, expected):
    key, share = column(math.log(3)), torch.full((1, 1, 1), mask)

    out = masked(column(1)[None], column(0)[None], column(2)[None], [[key]], [[column(8)]], share, [odds], 1, literal)

    assert out.item() == pytest.approx(expected, rel=1e-14)


def test_masked_with_masks_of_0_is_the_text_and_literal_is_not():
    nothing = torch.zeros_like(SHARES)

    assert torch.equal(run_masked(nothing), text_alone())
    assert (run_masked(nothing, literal=True) - text_alone()).abs().max() > 0.1


@pytest.mark.parametrize("literal", [False, True])
def test_masked_with_masks_of_1_is_attention_to_everything(literal):
    everything = [
        softmax_attention(Q[b], torch.cat([TEXT_K[b], *KEYS[b]]), torch.cat([TEXT_V[b], *VALUES[b]]), HEADS)
        for b in range(ROWS)
    ]

    out = run_masked(torch.ones_like(SHARES), (1.0, 1.0, 1.0), literal)

    assert torch.equal(out, torch.stack(everything))


@pytest.mark.parametrize("literal", [False, True])
def test_odds_of_0_remove_a_person_and_greater_odds_raise_their_part(literal):
    without = masked(
        Q,
        TEXT_K,
        TEXT_V,
        [k[:2] for k in KEYS],
        [v[:2] for v in VALUES],
        SHARES[..., :2],
        STRENGTHS[:2],
        HEADS,
        literal,
    )
    # With values of 1 for the last person and 0 for all else, what comes out is that person's part of the softmax.
    marked = [[torch.zeros_like(v[0]), torch.zeros_like(v[1]), torch.ones_like(v[2])] for v in VALUES]

    parts = [
        masked(Q, TEXT_K, TEXT_V * 0, KEYS, marked, SHARES, (0.5, 1.0, odds), HEADS, literal) for odds in (0.1, 1, 9)
    ]

    assert torch.equal(run_masked(SHARES, (0.5, 1.0, 0.0), literal), without)
    assert close(run_masked(SHARES, (0.5, 1.0, 1e-15), literal), without)
    assert (parts[0] > 0).all()
    assert (parts[1] > parts[0]).all()
    assert (parts[2] > parts[1]).all()
    assert (parts[2] < 1).all()


@pytest.mark.parametrize("literal", [False, True])
def test_the_order_of_the_people_does_not_matter_to_masked(literal):
    order = [2, 0, 1]
    keys, values = ([[row[i] for i in order] for row in tokens] for tokens in (KEYS, VALUES))
    odds = [STRENGTHS[i] for i in order]

    out = masked(Q, TEXT_K, TEXT_V, keys, values, SHARES[..., order], odds, HEADS, literal)

    assert close(out, run_masked(SHARES, literal=literal))


def test_one_person_on_a_partition_is_that_person_everywhere():
    keys, values = ([[row[0]] * PEOPLE for row in tokens] for tokens in (KEYS, VALUES))
    alone = [row[:1] for row in KEYS], [row[:1] for row in VALUES]

    mixed = masked(Q, TEXT_K, TEXT_V, keys, values, STRIPS, (1.0, 1.0, 1.0), HEADS)

    assert torch.equal(mixed, masked(Q, TEXT_K, TEXT_V, *alone, torch.ones(ROWS, QUERIES, 1), [1.0], HEADS))


def test_outside_a_mask_nothing_of_that_person_is_seen():
    others, other_values = people(seed=60), people(seed=70)
    keys, values = (
        [[row[0], other[1], row[2]] for row, other in zip(*both, strict=True)]
        for both in ((KEYS, others), (VALUES, other_values))
    )
    masks = STRIPS * torch.tensor([0.0, 0.5, 1.0])

    before, after = run_masked(masks), masked(Q, TEXT_K, TEXT_V, keys, values, masks, STRENGTHS, HEADS)

    changed = (before != after).any(-1)
    assert changed.tolist() == [[False, False, True, True, False, False]] * ROWS
    assert torch.equal(before[:, :2], text_alone()[:, :2])
