"""The slow reference of the mode `gated` against numbers worked out by hand, and what the paper says must hold."""

import numpy
import pytest
import torch
from pack.tests.attention import reference
from pack.tests.attention.reference_modes import activation, gated, percentile, released

HEADS, ROWS, QUERIES, WIDTH, PEOPLE = 2, 2, 6, 4, 3


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def people(seed=1, lengths=(2, 3, 1)):
    """keys[b][i] or values[b][i] of people who bring different numbers of tokens."""
    return [[randoms(t, WIDTH, seed=seed + 10 * b + 100 * i) for i, t in enumerate(lengths)] for b in range(ROWS)]


Q, TEXT = randoms(ROWS, QUERIES, WIDTH, seed=2), randoms(ROWS, QUERIES, WIDTH, seed=3)
KEYS, VALUES = people(seed=6), people(seed=7)
SHARES = randoms(ROWS, QUERIES, PEOPLE, seed=8).sigmoid()
STRENGTHS = (0.5, 1.0, 1.5)
STRIPS = torch.eye(PEOPLE, dtype=torch.bool).repeat_interleave(2, 0).expand(ROWS, -1, -1)


def run_released(boxes, **options):
    return released(TEXT, Q, KEYS, VALUES, boxes, 0.7, HEADS, **options)


def close(one, other):
    return torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


def test_a_percentile_is_numpys():
    numbers = randoms(11)[:7].tolist()

    for percent in (0, 2, 25, 33.3, 50, 98, 100):
        assert percentile(numbers, percent) == pytest.approx(float(numpy.percentile(numbers, percent)), rel=1e-13)


def test_activation_by_hand():
    scores = column(-3, 1, 5, 0)

    assert activation(scores, [column(1)], 1).tolist() == [0, 0.5, 1, 0.375]
    assert activation(scores, [column(-2)], 1).tolist() == [1, 0.5, 0, 0.625]
    within = torch.tensor([False, True, False, True])  # the others lie beyond, on either side
    assert activation(scores, [column(1)], 1, within).tolist() == [0, 1, 1, 0]
    assert activation(scores, [column(1)], 1, low=50, high=100).tolist() == pytest.approx([0, 0.5 / 4.5, 1, 0])


def test_activation_needs_no_matrix_of_logits():
    keys = torch.cat(KEYS[0])
    scores = Q[0] @ keys.sum(0)

    gate = activation(Q[0], KEYS[0], HEADS)

    assert close(gate, (scores - scores.min()) / (scores.max() - scores.min()))
    assert (gate.min(), gate.max()) == (0, 1)


def test_activation_sees_neither_scale_nor_shift_nor_repeated_keys():
    gate = activation(Q[0], KEYS[0], HEADS, low=10, high=90)

    assert close(activation(Q[0] * 3, KEYS[0], HEADS, low=10, high=90), gate)
    assert close(activation(Q[0] + randoms(1, WIDTH, seed=9), KEYS[0], HEADS, low=10, high=90), gate)
    assert close(activation(Q[0], KEYS[0] * 2, HEADS, low=10, high=90), gate)
    assert torch.equal(activation(Q[0].flip(0), KEYS[0], HEADS, low=10, high=90), gate.flip(0))


def test_scores_that_are_all_but_equal_give_no_gate():
    def gate(difference, **options):
        return activation(column(1, 1 + difference), [column(1)], 1, **options).tolist()

    assert gate(0) == gate(9e-7) == [0, 0]
    assert gate(2e-6) == [0, 1]
    assert gate(5, within=torch.tensor([False, False])) == gate(5, within=torch.tensor([False, True])) == [0, 0]
    assert activation(column(1, 2), [], 1).tolist() == [0, 0]


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("regional", [False, True])
def test_gated_is_the_decoupled_mode_with_shares_times_gates(joint, regional):
    shares = SHARES * (SHARES > 0.4)
    expected = []
    for b in range(ROWS):
        gates = []
        for i in range(PEOPLE):
            counted = torch.cat(KEYS[b]) if joint else KEYS[b][i]
            scores = Q[b] @ counted.sum(0)
            near = scores[shares[b, :, i] > 0] if regional else scores
            gates.append(((scores - near.min()) / (near.max() - near.min())).clamp(0, 1))
        share = shares[b] * torch.stack(gates, -1) * torch.tensor(STRENGTHS).double()
        row = TEXT[b : b + 1]
        for i in range(PEOPLE):
            row = reference.decoupled(
                row, Q[b : b + 1], KEYS[b][i][None], VALUES[b][i][None], share[None, :, i : i + 1], HEADS
            )
        expected.append(row)

    out = gated(TEXT, Q, KEYS, VALUES, shares, STRENGTHS, HEADS, joint=joint, regional=regional)

    assert close(out, torch.cat(expected))


def test_gated_by_hand_with_a_threshold_and_percentiles():
    text, q, whole = torch.zeros(1, 5, 1), column(0, 1, 2, 3, 4)[None], torch.full((1, 5, 1), 0.5)

    def run(**options):
        return gated(text, q, [[column(1)]], [[column(8)]], whole, [2.0], 1, **options).flatten().tolist()

    assert run() == [0, 2, 4, 6, 8]
    assert run(threshold=0.5) == [0, 0, 4, 6, 8]
    assert run(low=25, high=75) == [0, 0, 4, 8, 8]


def test_one_person_in_parts_that_add_up_to_1_is_that_person():
    keys, values = ([[row[0]] * PEOPLE for row in tokens] for tokens in (KEYS, VALUES))
    alone = [row[:1] for row in KEYS], [row[:1] for row in VALUES]
    parts, whole = SHARES / SHARES.sum(-1, keepdim=True), torch.ones(ROWS, QUERIES, 1)

    added = gated(TEXT, Q, keys, values, parts, (1.0, 1.0, 1.0), HEADS)

    assert close(added, gated(TEXT, Q, *alone, whole, [1.0], HEADS))


@pytest.mark.parametrize("joint", [False, True])
def test_the_order_of_the_people_does_not_matter_to_gated(joint):
    order = [2, 0, 1]
    keys, values = ([[row[i] for i in order] for row in tokens] for tokens in (KEYS, VALUES))
    strengths = [STRENGTHS[i] for i in order]

    out = gated(TEXT, Q, keys, values, SHARES[..., order], strengths, HEADS, joint=joint)

    assert close(out, gated(TEXT, Q, KEYS, VALUES, SHARES, STRENGTHS, HEADS, joint=joint))


def test_where_the_gate_or_the_strength_is_0_only_the_text_is_left():
    alone = [row[:1] for row in KEYS], [row[:1] for row in VALUES]
    lowest = (Q @ torch.stack([row[0].sum(0) for row in KEYS])[..., None]).argmin(1).flatten()

    out = gated(TEXT, Q, *alone, torch.ones(ROWS, QUERIES, 1), [1.0], HEADS)

    assert [torch.equal(out[b, lowest[b]], TEXT[b, lowest[b]]) for b in range(ROWS)] == [True, True]
    assert (out != TEXT).any(-1).sum() == ROWS * (QUERIES - 1)
    assert torch.equal(gated(TEXT, Q, KEYS, VALUES, SHARES, (0, 0, 0), HEADS), TEXT)
    assert torch.equal(released(TEXT, Q, [[], []], [[], []], torch.zeros(ROWS, QUERIES, 0), 1.0, HEADS), TEXT)


def test_rows_do_not_see_each_other():
    def row(b, function, *rest, **options):
        part = slice(b, b + 1)
        return function(TEXT[part], Q[part], KEYS[part], VALUES[part], *(r[part] for r in rest), **options)

    options = {"strengths": STRENGTHS, "heads": HEADS, "joint": True}
    both = gated(TEXT, Q, KEYS, VALUES, SHARES, **options)
    assert torch.equal(both, torch.cat([row(b, gated, SHARES, **options) for b in range(ROWS)]))
    options = {"strength": 0.7, "heads": HEADS, "boost": 4.0}
    both = released(TEXT, Q, KEYS, VALUES, STRIPS, **options)
    assert torch.equal(both, torch.cat([row(b, released, STRIPS, **options) for b in range(ROWS)]))


def test_released_strips_attend_to_their_own_person_with_the_joint_gate():
    expected = gated(TEXT, Q, KEYS, VALUES, STRIPS.double(), (0.7, 0.7, 0.7), HEADS, joint=True, threshold=0.3)

    assert close(run_released(STRIPS), expected)


def test_released_outside_every_box_all_people_compete_in_one_softmax():
    together = [[torch.cat(row)] for row in KEYS], [[torch.cat(row)] for row in VALUES]
    expected = gated(TEXT, Q, *together, torch.ones(ROWS, QUERIES, 1), [0.7], HEADS, threshold=0.3)

    assert torch.equal(run_released(torch.zeros_like(STRIPS)), expected)


def test_the_boost_adds_inside_the_boxes_and_divides_outside():
    q, ones = column(0, 1, 2, 3, 4)[None], [[column(1), column(2)]]  # gates 0, .25, .5, .75, 1
    boxes = torch.tensor([[[1, 0], [1, 0], [0, 0], [0, 1], [0, 0]]]).bool()

    def run(**options):
        text, values = torch.zeros(1, 5, 1), [[column(10), column(10)]]
        return released(text, q, ones, values, boxes, 0.5, 1, **options).flatten().tolist()

    assert run() == pytest.approx([0, 0, 2.5, 3.75, 5])
    assert run(boost=4.0) == pytest.approx([20, 20, 0.5, 23.75, 1])
    assert run(boost=4.0, threshold=0.0) == pytest.approx([20, 21.25, 0.5, 23.75, 1])


def test_a_query_in_two_boxes_is_refused():
    with pytest.raises(ValueError, match=r"Query 0 of row 0 lies in the boxes of identities \[0, 1, 2\]"):
        run_released(torch.ones_like(STRIPS))
