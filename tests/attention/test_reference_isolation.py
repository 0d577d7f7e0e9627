"""The slow reference of isolation between people: what must hold of it, and numbers worked out by hand."""

import math

import pytest
import torch
from pack.tests.attention.reference_self import self_attention
from pack.tests.attention.self_inputs import (
    BOTH,
    FIRST,
    NOBODY,
    PLAIN,
    REGIONS,
    SECOND,
    TOKENS,
    WIDTH,
    Q,
    close,
    photo,
    reach,
    run,
)


@pytest.mark.parametrize("background", ["shared", "apart"])
def test_eta_1_is_plain_self_attention(background):
    assert torch.equal(run(eta=1.0, background=background), PLAIN)


def test_the_bias_by_hand():
    q, k = torch.ones(4, 1), torch.zeros(4, 1)
    v = torch.tensor([[1.0], [10.0], [100.0], [1000.0]])
    regions = torch.tensor([FIRST, SECOND, NOBODY, BOTH], dtype=torch.bool)

    shared = self_attention(q, k, v, regions, 1, 0.5)
    apart = self_attention(q, k, v, regions, 1, 0.5, "apart")

    people = [(1 + 5 + 100 + 1000) / 3.5, (0.5 + 10 + 100 + 1000) / 3.5]
    assert shared[:, 0].tolist() == pytest.approx([*people, 1111 / 4, 1111 / 4])
    assert apart[:, 0].tolist() == pytest.approx([*people, (0.5 + 5 + 100 + 500) / 2.5, 1111 / 4])


def test_without_people_nothing_changes():
    nobody = torch.zeros(TOKENS, 2, dtype=torch.bool)

    for regions in (nobody, nobody[:, :0]):
        for background in ("shared", "apart"):
            assert torch.equal(run(regions, 0.0, background), PLAIN)


def test_one_person_is_isolated_from_nobody():
    regions = REGIONS & torch.tensor([True, False])

    assert torch.equal(run(regions, 0.0), PLAIN)
    assert torch.equal(run(regions, 0.0, "apart")[regions.any(-1)], PLAIN[regions.any(-1)])


def test_an_empty_region_isolates_nobody():
    wider = torch.cat([REGIONS, torch.zeros(TOKENS, 1, dtype=torch.bool)], -1)

    assert torch.equal(run(wider, 0.3, "apart"), run(eta=0.3, background="apart"))


def test_at_eta_0_people_do_not_depend_on_each_other():
    first = [True, True, False, False, True, True, True]
    second = [False, False, True, True, True, True, False]
    alone = [False, False, False, False, True, True, False]

    shared, apart = reach(REGIONS), reach(REGIONS, background="apart")

    assert shared.tolist() == [first, first, second, second, [True] * 7, [True] * 7, first]
    assert apart.tolist() == [first, first, second, second, alone, alone, first]
    assert reach(REGIONS, eta=0.1).all()


def test_over_two_layers_a_shared_background_carries_people_to_each_other():
    assert reach(REGIONS, layers=2)[0, 2]
    assert not reach(REGIONS, layers=2, background="apart")[0, 2]


def test_an_overlap_sees_both_and_is_seen_by_both():
    regions = torch.tensor([FIRST, SECOND, BOTH, NOBODY], dtype=torch.bool)

    assert reach(regions, background="apart").tolist() == [
        [True, False, True, True],
        [False, True, True, True],
        [True, True, True, True],
        [False, False, False, True],
    ]


def test_less_eta_means_less_of_the_others():
    v = REGIONS[:, 1:].double().expand(-1, WIDTH)  # the output is the weight of the second member's tokens

    weights = torch.stack([run(eta=eta, v=v)[0, 0] for eta in (0.0, 0.1, 0.5, 1.0)])

    assert weights[0] == 0
    assert (weights.diff() > 0).all()
    odds = weights / (1 - weights)
    assert close(odds[1:] / odds[-1], torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64))


def test_eta_near_0_is_close_to_eta_0():
    assert torch.allclose(run(eta=1e-12), run(eta=0.0), atol=1e-9)


def test_the_order_of_members_does_not_matter():
    references = [photo(10, odds=0.5), photo(20, length=3, odds=2.0)]

    assert close(run(REGIONS.flip(-1), 0.2, "apart", references[::-1]), run(REGIONS, 0.2, "apart", references))


def test_huge_logits_and_a_lone_cell_give_numbers():
    lone = torch.zeros(TOKENS, 2, dtype=torch.bool)
    lone[3, 1] = True

    for background in ("shared", "apart"):
        assert run(lone, 0.0, background, [photo(10), photo(20)], q=1e4 * Q).isfinite().all()


def test_what_cannot_be_meant_is_refused():
    for eta in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="eta"):
            run(eta=eta)
    with pytest.raises(ValueError, match="1 references for 2 regions"):
        run(references=[None])
