"""Feathered regions: soft edges in picture space, the same for every layer."""

import pytest
import torch
from pack.attention.regions.feathering import SIDE, feathered
from pack.attention.regions.masks import cells_of, token_masks
from pack.attention.regions.region import Region, rasterise

HALF = Region("left", width=0.5)


def test_without_a_width_regions_stay_themselves():
    regions = [HALF, Region("dot", "ellipse", 0.4, 0.4, 0.1, 0.1, order=3)]

    assert feathered(regions, 0.0) == regions


def test_an_edge_becomes_a_slope_of_that_width_and_the_border_stays_sharp():
    (soft,) = feathered([HALF], 0.02)
    line = rasterise([soft], SIDE, SIDE)[0, SIDE // 2]

    assert (soft.name, soft.order, soft.shape) == ("left", 0, "mask")
    torch.testing.assert_close(line[:60], torch.ones(60))
    torch.testing.assert_close(line[140:], torch.zeros(52))
    assert line[SIDE // 2 - 1 : SIDE // 2 + 1].mean() == pytest.approx(0.5, abs=1e-5)
    deviation = 0.02 * SIDE
    expected = torch.distributions.Normal(0.0, deviation).cdf(torch.tensor(-10.5)).item()
    assert line[SIDE // 2 + 10].item() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("aspect", [0.4, 1.0, 2.5])
def test_the_width_is_measured_along_the_shorter_side_whatever_the_picture(aspect):
    middle = Region("band", x=0.25, width=0.5, y=0.25, height=0.5)
    (soft,) = feathered([middle], 0.05, aspect)
    rows, columns = soft.mask.shape

    assert min(rows, columns) == SIDE
    across, down = soft.mask[rows // 2], soft.mask[:, columns // 2]
    assert across[: columns // 2].gt(0.16).logical_and(across[: columns // 2].lt(0.84)).sum() == pytest.approx(
        19, abs=2
    )
    assert down[: rows // 2].gt(0.16).logical_and(down[: rows // 2].lt(0.84)).sum() == pytest.approx(19, abs=2)


@pytest.mark.parametrize("grid", [(8, 8), (16, 16), (64, 64)])
def test_every_grid_sees_the_same_soft_edge_by_area(grid):
    masks = token_masks(feathered([HALF], 0.04), cells_of(grid, (64, 64)))[0]

    assert masks.sum() * (64 * 64 / (grid[0] * grid[1])) == pytest.approx(64 * 32, rel=2e-3)
    assert (masks[:, :-1] >= masks[:, 1:] - 1e-6).all()


def test_a_region_smaller_than_the_blur_still_has_a_cell():
    masks = token_masks(
        feathered([Region("dot", x=0.5, y=0.5, width=0.01, height=0.01)], 0.05), cells_of((8, 8), (64, 64))
    )

    assert masks.max() > 0
