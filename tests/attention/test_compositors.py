"""How regions share a cell."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions.compositors import COMPOSITORS, composite, default_compositor
from pack.attention.regions.region import Region
from pack.tests.attention import reference

MASKS = st.integers(1, 5).flatmap(
    lambda count: st.lists(st.floats(0, 1, width=32), min_size=count * 6, max_size=count * 6).map(
        lambda values: torch.tensor(values).view(count, 2, 3)
    )
)


def depths(masks):
    return [len(masks) - index for index in range(len(masks))]


@settings(max_examples=40, deadline=None)
@given(MASKS, st.sampled_from(COMPOSITORS))
def test_shares_lie_between_nothing_and_the_mask(masks, compositor):
    shares = composite(masks, compositor, depths(masks))

    assert shares.shape == masks.shape
    assert ((shares >= 0) & (shares <= masks)).all()
    if compositor != "sum":
        assert (shares.sum(0) <= 1 + 1e-6).all()


@settings(max_examples=40, deadline=None)
@given(MASKS)
def test_priority_is_the_over_operator(masks):
    torch.testing.assert_close(composite(masks, "priority").double(), reference.front_to_back(masks), atol=1e-6, rtol=0)


@settings(max_examples=40, deadline=None)
@given(MASKS, st.randoms(use_true_random=False))
def test_only_priority_depends_on_the_order_of_the_cast(masks, random):
    order = list(range(len(masks)))
    random.shuffle(order)
    for compositor in ("sum", "normalise", "depth"):
        own = depths(masks)
        shuffled = composite(masks[order], compositor, [own[index] for index in order])
        torch.testing.assert_close(shuffled, composite(masks, compositor, own)[order], atol=1e-6, rtol=0)


def test_overlaps_are_shared_as_named():
    masks = torch.tensor([[1.0, 1.0, 0.0, 0.5], [0.0, 1.0, 0.0, 0.5]])

    assert composite(masks, "sum").tolist() == masks.tolist()
    assert composite(masks, "normalise").tolist() == [[1, 0.5, 0, 0.5], [0, 0.5, 0, 0.5]]
    assert composite(masks, "priority").tolist() == [[1, 1, 0, 0.5], [0, 0, 0, 0.25]]
    assert composite(masks, "depth", [2, 1]).tolist() == [[1, 0, 0, 0.25], [0, 1, 0, 0.5]]


def test_equal_depths_keep_the_order_of_the_cast():
    masks = torch.ones(3, 2)

    assert composite(masks, "depth", [1, 0, 0]).tolist() == [[0, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize("compositor", COMPOSITORS)
def test_disjoint_masks_stay_what_they_are(compositor):
    masks = torch.eye(4)

    assert torch.equal(composite(masks, compositor, [3, 1, 2, 0]), masks)


@pytest.mark.parametrize("compositor", COMPOSITORS)
def test_nothing_is_shared_where_nobody_stands(compositor):
    shares = composite(torch.zeros(2, 3), compositor, [0, 1])

    assert torch.equal(shares, torch.zeros(2, 3))


def test_boxes_have_a_front_and_painted_masks_mix():
    box, painted = Region("a"), Region("b", "mask", mask=torch.ones(2, 2))

    assert default_compositor([box, Region("c", "ellipse")]) == "priority"
    assert default_compositor([box, painted]) == "normalise"


def test_an_unknown_compositor_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="'average'; choose one of sum, normalise, priority, depth"):
        composite(torch.ones(1, 1), "average")
