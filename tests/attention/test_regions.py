"""How much of each pixel a region covers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions.region import Region, rasterise
from pack.tests.attention import reference


def test_a_box_covers_whole_pixels_and_parts_of_pixels():
    mask = rasterise([Region("a", x=0.25, y=0.0, width=0.5, height=0.625)], 4, 4)[0]

    assert mask.tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]]


def test_a_box_over_the_whole_picture_is_exactly_one_at_odd_sizes():
    assert torch.equal(rasterise([Region("a")], 33, 125)[0], torch.ones(33, 125))


def test_a_box_may_reach_over_the_edge():
    mask = rasterise([Region("a", x=-1.0, y=0.5, width=1.5, height=3.0)], 2, 2)[0]

    assert mask.tolist() == [[0, 0], [1, 0]]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-0.5, 1),
    st.floats(-0.5, 1),
    st.floats(0.01, 1.5),
    st.floats(0.01, 1.5),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_the_area_of_a_box_is_kept_at_every_size(x, y, width, height, rows, columns):
    mask = rasterise([Region("a", x=x, y=y, width=width, height=height)], rows, columns)[0]

    inside = max(0.0, min(1, x + width) - max(0, x)) * max(0.0, min(1, y + height) - max(0, y))
    assert mask.mean().item() == pytest.approx(inside, abs=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (24, 40), (64, 20)])
def test_the_area_of_an_ellipse_is_kept_at_every_size(size):
    mask = rasterise([Region("a", "ellipse", x=0.2, y=0.1, width=0.6, height=0.5)], *size)[0]

    assert mask.mean().item() == pytest.approx(math.pi / 4 * 0.6 * 0.5, rel=0.01)
    assert torch.allclose(mask, mask.flip(1), atol=1e-6)


def test_a_quarter_turn_swaps_width_and_height_as_seen_on_a_wide_picture():
    lying = Region("a", "box", x=0.4, y=0.25, width=0.2, height=0.5, rotation=90)  # 40 x 50 pixels of 200 x 100
    turned = rasterise([lying], 100, 200)[0]

    assert turned[:, 100].sum().item() == pytest.approx(40, abs=1)
    assert turned[50].sum().item() == pytest.approx(50, abs=1)


def test_a_half_turn_changes_nothing():
    still, turned = (
        Region("a", x=0.1, y=0.2, width=0.3, height=0.4),
        Region("b", x=0.1, y=0.2, width=0.3, height=0.4, rotation=180),
    )

    assert torch.equal(*rasterise([still, turned], 9, 9))


def test_a_positive_rotation_is_clockwise():
    mask = rasterise([Region("a", x=0.1, y=0.45, width=0.8, height=0.1, rotation=45)], 40, 40)[0]

    assert mask[30, 30] == 1  # bottom right, y points down
    assert mask[10, 30] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_a_painted_mask_is_averaged_over_each_pixel(height, width, rows, columns, seed):
    painted = torch.rand(height, width, generator=torch.Generator().manual_seed(seed))

    mask = rasterise([Region("a", "mask", mask=painted)], rows, columns)[0]

    torch.testing.assert_close(mask.double(), reference.mean_over_cells(painted, rows, columns), atol=1e-6, rtol=0)


def test_a_full_painted_mask_is_exactly_one_at_odd_sizes():
    assert torch.equal(rasterise([Region("a", "mask", mask=torch.ones(37, 29))], 5, 16)[0], torch.ones(5, 16))


def test_a_painted_mask_without_paint_is_an_error_that_names_the_region():
    with pytest.raises(ValueError, match="Region 'Ada'.*no mask"):
        rasterise([Region("Ada", "mask")], 2, 2)


def test_no_regions_give_no_masks():
    assert rasterise([], 3, 4).shape == (0, 3, 4)
