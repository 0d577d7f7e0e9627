"""Gates and gated attention: ranges, invariances, and what they must collapse to (papers.md 3.5 and 7.4)."""

from dataclasses import replace

import pytest
import torch
from pack.attention.operators.gates import activation
from pack.attention.recipes.recipe import Gate, Recipe
from pack.tests.attention.mode_inputs import HEADS, case, fast

RELEASED = Gate(released=True, threshold=0.3, boost=4.0)


def summed(c):
    return c.k.sum(1)[c.sources.flatten(0, 1)]


def gate_of(c, **options):
    return activation(c.q, summed(c), HEADS, **options)


def test_a_gate_reaches_from_zero_to_one_in_every_row_of_the_batch():
    gate = gate_of(case(images=2))

    assert torch.equal(gate.amin(1), torch.zeros(4, 3))
    assert torch.equal(gate.amax(1), torch.ones(4, 3))


def test_within_a_region_the_gate_reaches_from_zero_to_one_there():
    c = case()
    within = torch.zeros(2, 6, 3, dtype=torch.bool)
    within[:, 1:4] = True

    gate = gate_of(c, within=within)

    assert torch.equal(gate[:, 1:4].amin(1), torch.zeros(2, 3))
    assert torch.equal(gate[:, 1:4].amax(1), torch.ones(2, 3))
    assert gate.min() >= 0
    assert gate.max() <= 1


def test_a_gate_of_a_region_without_cells_is_closed():
    assert torch.equal(gate_of(case(), within=torch.zeros(2, 6, 3, dtype=torch.bool)), torch.zeros(2, 6, 3))


def test_queries_that_all_respond_alike_have_a_closed_gate():
    c = case()
    gate = gate_of(replace(c, q=c.q[:, :1].expand_as(c.q).contiguous()))

    assert torch.equal(gate, torch.zeros(2, 6, 3))


def test_the_scale_of_queries_and_repeated_keys_change_no_gate():
    c = case()

    torch.testing.assert_close(gate_of(replace(c, q=c.q * 7)), gate_of(c))
    torch.testing.assert_close(activation(c.q, 3 * summed(c), HEADS), gate_of(c))


def test_a_gate_follows_its_queries_and_knows_no_other_row():
    c = case()
    order = torch.tensor([3, 1, 5, 0, 2, 4])

    torch.testing.assert_close(gate_of(replace(c, q=c.q[:, order])), gate_of(c)[:, order])
    torch.testing.assert_close(activation(c.q[1:], summed(c)[1:], HEADS), gate_of(c)[1:])


def test_an_outlier_flattens_the_rest_unless_percentiles_cut_it_off():
    q, keys = torch.ones(1, 100, 8) * torch.linspace(0, 1, 100)[None, :, None], torch.ones(1, 1, 8)
    q[0, -1] = 1000

    assert activation(q, keys, HEADS)[0, :-1].max() < 0.01
    assert activation(q, keys, HEADS, low=2, high=98)[0, 90] > 0.9


def test_rows_with_a_closed_gate_are_the_text_bit_for_bit():
    c = case(groups=1, members=1)
    c = replace(c, shares=torch.ones_like(c.shares))
    closed = gate_of(c)[..., 0] < 0.5

    out = fast(Recipe("gated", gate=Gate(threshold=0.5)), c)

    assert closed.any()
    assert torch.equal(out[closed], c.text[closed])
    assert (out != c.text)[~closed].any(-1).all()


def test_where_every_gate_is_open_it_is_the_decoupled_mode():
    c = case(groups=1, members=2, tokens=2)
    c = replace(c, shares=torch.ones_like(c.shares))
    gate = gate_of(c)
    plain, gated = (fast(Recipe(mode), c, onto=torch.zeros_like(c.q)) for mode in ("decoupled", "gated"))
    alone = [fast(Recipe("decoupled"), replace(c, strengths=s), onto=torch.zeros_like(c.q)) for s in torch.eye(2)]

    torch.testing.assert_close(gated, sum(gate[..., m : m + 1] * alone[m] for m in range(2)))
    torch.testing.assert_close(plain, sum(alone))


@pytest.mark.parametrize("gate", [Gate(), Gate(joint=True), Gate(regional=True), RELEASED])
def test_nobody_anywhere_is_the_text_bit_for_bit(gate):
    c = replace(case(), strengths=torch.zeros(3))

    assert torch.equal(fast(Recipe("gated", gate=gate), c, boosted=True), c.text)


def test_the_boost_pushes_regions_and_holds_back_the_rest():
    c = case(groups=1, members=1)
    c.shares[:] = torch.tensor([1.0, 1, 1, 0, 0, 0])[None, :, None]
    calm, boosted = (fast(Recipe("gated", gate=RELEASED), c, boosted=b, onto=torch.zeros_like(c.q)) for b in (0, 1))
    attention = fast(Recipe("decoupled"), c, onto=torch.zeros_like(c.q))

    torch.testing.assert_close(boosted[:, :3], calm[:, :3] + 4 * attention[:, :3])
    torch.testing.assert_close(boosted[:, 3:], calm[:, 3:] / 5)
