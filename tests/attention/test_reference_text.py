"""The slow reference of local prompts: what must hold of it, and numbers worked out by hand."""

import math

import pytest
import torch
from pack.tests.attention.reference_modes import softmax_attention
from pack.tests.attention.reference_text import local_text

HEADS, ROWS, QUERIES, WIDTH, PEOPLE = 2, 3, 6, 4, 3
POSITIVE = (False, True, True)


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


Q, TEXT_K, TEXT_V = (
    randoms(ROWS, QUERIES, WIDTH, seed=1),
    randoms(ROWS, 5, WIDTH, seed=2),
    randoms(ROWS, 5, WIDTH, seed=3),
)
KEYS = [randoms(t, WIDTH, seed=10 + t) for t in (2, 7, 1)]
VALUES = [randoms(t, WIDTH, seed=20 + t) for t in (2, 7, 1)]
SHARES = torch.cat([randoms(QUERIES, PEOPLE + 1, seed=4).softmax(-1)[:4, :PEOPLE], torch.zeros(2, PEOPLE)])
GLOBAL = torch.stack([softmax_attention(Q[b], TEXT_K[b], TEXT_V[b], HEADS) for b in range(ROWS)])


def run(keys=KEYS, values=VALUES, shares=SHARES, base=0.2, positive=POSITIVE, text_k=TEXT_K, text_v=TEXT_V):
    return local_text(Q, text_k, text_v, keys, values, shares, base, positive, HEADS)


def close(one, other):
    return torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def test_the_mix_by_hand():
    q, text_k = torch.ones(1, 1, 1), torch.zeros(1, 2, 1)
    text_v = torch.tensor([[[1.0], [3.0]]])  # T_g = 2
    keys = [torch.tensor([[0.0], [math.log(3)]], dtype=torch.float64), torch.zeros(1, 1)]
    values = [torch.tensor([[4.0], [8.0]]), torch.tensor([[100.0]])]  # T_1 = 4/4 + 3*8/4 = 7, T_2 = 100

    out = local_text(q, text_k, text_v, keys, values, torch.tensor([[0.5, 0.25]]), 0.2, [True], heads=1)

    assert out.item() == pytest.approx(0.2 * 2 + 0.8 * (0.5 * 7 + 0.25 * 100 + 0.25 * 2))


@pytest.mark.parametrize("base", [0.0, 0.3, 1.0])
def test_local_prompts_equal_to_the_global_one_change_nothing(base):
    text_k, text_v = TEXT_K[:1].expand(ROWS, -1, -1), TEXT_V[:1].expand(ROWS, -1, -1)
    plain = torch.stack([softmax_attention(Q[b], text_k[b], text_v[b], HEADS) for b in range(ROWS)])

    out = run([TEXT_K[0]] * PEOPLE, [TEXT_V[0]] * PEOPLE, base=base, text_k=text_k, text_v=text_v)

    assert close(out, plain)


def test_members_without_a_prompt_leave_their_share_to_the_global_one():
    some = run([KEYS[0], None, None], [VALUES[0], None, None])
    alone = run(KEYS[:1], VALUES[:1], SHARES[:, :1])

    assert torch.equal(some, alone)
    assert close(run([None] * PEOPLE, [None] * PEOPLE), GLOBAL)
    assert close(run([], [], SHARES[:, :0]), GLOBAL)


def test_a_member_who_owns_a_query_is_all_of_it_at_base_0_and_none_at_base_1():
    shares = torch.eye(PEOPLE).repeat_interleave(2, 0)

    out = run(shares=shares, base=0.0)

    for n in range(QUERIES):
        assert close(out[1, n], softmax_attention(Q[1, n : n + 1], KEYS[n // 2], VALUES[n // 2], HEADS)[0])
    assert torch.equal(run(shares=shares, base=1.0), GLOBAL)


def test_rows_that_are_not_positive_get_their_own_prompt_alone():
    out = run()

    assert torch.equal(out[0], GLOBAL[0])
    assert (out[1:, :4] != GLOBAL[1:, :4]).any(-1).all()
    swapped = local_text(Q.flip(0), TEXT_K.flip(0), TEXT_V.flip(0), KEYS, VALUES, SHARES, 0.2, POSITIVE[::-1], HEADS)
    assert torch.equal(swapped.flip(0), out)


def test_where_no_region_covers_the_global_prompt_holds_whatever_the_others_are():
    broken = [torch.full_like(k, torch.nan) for k in KEYS]

    out = run(broken, broken)

    assert close(out[:, 4:], GLOBAL[:, 4:])
    assert out[1:, :4].isnan().all()
    assert close(run(broken, broken, shares=torch.zeros(QUERIES, PEOPLE)), GLOBAL)


def test_a_prompt_acts_only_where_its_member_has_a_share():
    shares = SHARES.clone()
    shares[:2, 1] = 0
    other = [KEYS[0], randoms(4, WIDTH, seed=50), KEYS[2]], [VALUES[0], randoms(4, WIDTH, seed=51), VALUES[2]]

    changed = (run(shares=shares) != run(*other, shares=shares)).any(-1)

    assert changed.tolist() == [[False] * 6, *[[False, False, True, True, False, False]] * 2]


def test_the_order_of_members_does_not_matter():
    order = [2, 0, 1]

    assert close(run([KEYS[i] for i in order], [VALUES[i] for i in order], SHARES[:, order]), run())


def test_one_prompt_for_members_who_fill_the_picture_is_that_prompt_everywhere():
    shares = randoms(QUERIES, PEOPLE, seed=6).softmax(-1)

    assert close(run(KEYS[:1] * 3, VALUES[:1] * 3, shares), run(KEYS[:1], VALUES[:1], torch.ones(QUERIES, 1)))


def test_a_prompt_repeated_is_the_same_prompt():
    assert close(run([torch.cat([k, k, k]) for k in KEYS], [torch.cat([v, v, v]) for v in VALUES]), run())


def test_shares_of_float32_may_add_up_to_a_little_more_than_1():
    shares = torch.full((QUERIES, 3), 1 / 3).float() + 1e-7

    assert torch.allclose(run([TEXT_K[0]] * 3, [TEXT_V[0]] * 3, shares, positive=[True] * 3)[0], GLOBAL[0], atol=1e-5)


@pytest.mark.parametrize(("shares", "base"), [(SHARES * 3, 0.2), (SHARES - 1, 0.2), (SHARES, 1.1), (SHARES, -0.1)])
def test_weights_that_do_not_add_up_are_refused(shares, base):
    with pytest.raises(ValueError, match=r"base ratio|Shares"):
        run(shares=shares, base=base)
