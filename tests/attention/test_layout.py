"""Who holds which part of every token."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions.masks import cells_of, token_masks
from pack.attention.regions.region import Region
from pack.attention.regions.shares import token_shares

GRIDS = [(16, 16), (4, 4), (1, 1), (3, 7)]
LATENT = (16, 16)


def shares(regions, grid=(16, 16), compositor="priority", latent=LATENT, area=None):
    return token_shares(regions, cells_of(grid, latent, area), compositor)


@st.composite
def layouts(draw):
    """Up to four boxes, ellipses and painted masks anywhere."""
    regions = []
    for index in range(draw(st.integers(1, 4))):
        x, y = draw(st.floats(-0.2, 0.9)), draw(st.floats(-0.2, 0.9))
        shape = draw(st.sampled_from(["box", "ellipse", "mask"]))
        mask = torch.rand(5, 6, generator=torch.Generator().manual_seed(index)) if shape == "mask" else None
        size, turn = draw(st.floats(0.05, 1)), draw(st.sampled_from([0.0, 30.0]))
        regions.append(Region(str(index), shape, x, y, size, size, turn, draw(st.integers(0, 3)), mask))
    return regions


@settings(max_examples=60, deadline=None)
@given(layouts(), st.sampled_from(GRIDS), st.sampled_from(["normalise", "priority", "depth"]))
def test_the_shares_of_a_token_sum_to_at_most_one_and_stay_within_the_masks(regions, grid, compositor):
    out = shares(regions, grid, compositor)

    masks = token_masks(regions, cells_of(grid, LATENT))
    assert out.isfinite().all()
    assert ((out >= 0) & (out <= masks + 1e-6)).all()
    assert (out.sum(0) <= 1 + 1e-5).all()


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("compositor", ["sum", "normalise", "priority", "depth"])
def test_people_side_by_side_share_coarse_tokens_whatever_their_order(grid, compositor):
    regions = [
        Region("a", x=0.02, width=0.3, order=0),
        Region("b", "ellipse", x=0.32, width=0.3, order=1),
        Region("c", x=0.62, width=0.31, rotation=180, order=2),
    ]

    out = shares(regions, grid, compositor)

    torch.testing.assert_close(shares(regions[::-1], grid, compositor).flip(0), out, atol=1e-6, rtol=0)
    assert (out.amax((1, 2)) > 0).all()


@pytest.mark.parametrize("grid", GRIDS)
def test_who_stands_in_front_hides_who_stands_behind(grid):
    front, behind = Region("front", order=5), Region("behind", x=0.2, width=0.5, order=1)

    assert torch.equal(shares([front, behind], grid), torch.stack([torch.ones(grid), torch.zeros(grid)]))
    near_first = shares([front, behind], grid, "depth")
    torch.testing.assert_close(near_first.sum(0), torch.ones(grid))
    assert near_first[1].max() >= 0.5


def test_one_region_alone_keeps_its_mask():
    for region in (Region("a", x=0.1, width=0.33), Region("b", "ellipse"), Region("c", "mask", mask=torch.rand(9, 9))):
        for grid in GRIDS:
            torch.testing.assert_close(shares([region], grid), token_masks([region], cells_of(grid, LATENT)))


def test_painted_masks_that_overlap_are_split():
    half = Region("a", "mask", mask=torch.ones(4, 4))
    other = Region("b", "mask", mask=torch.tensor([[1.0, 0.0]]))

    out = shares([half, other], (1, 2), "normalise")

    torch.testing.assert_close(out[:, 0], torch.tensor([[0.5, 1.0], [0.5, 0.0]]))


def test_the_plain_sum_adds_up():
    assert torch.equal(shares([Region("a"), Region("b")], (2, 2), "sum").sum(0), torch.full((2, 2), 2.0))


def test_a_region_between_all_points_is_still_seen():
    speck = Region("speck", x=0.5001, y=0.5001, width=2e-4, height=2e-4)

    assert shares([speck], (2, 2)).sum() == 1


def test_no_regions_have_no_shares():
    assert shares([], (2, 3)).shape == (0, 2, 3)
