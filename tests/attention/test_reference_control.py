"""The slow reference of ControlNet residuals per person and of InstantFamily's margin against numbers by hand."""

import pytest
import torch
from pack.tests.attention.reference_control import grown_box, masked_residual


def residuals(people=2, shape=(2, 3, 2, 4)):
    return [torch.randn(shape, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(people)]


def test_residuals_by_hand():
    first, second = torch.full((1, 1, 1, 4), 10.0), torch.full((1, 1, 1, 4), 100.0)
    masks = torch.tensor([[[1.0, 0.5, 0.0, 0.0]], [[0.0, 0.5, 1.0, 0.0]]])

    assert masked_residual([first, second], masks).flatten().tolist() == [10.0, 55.0, 100.0, 0.0]


def test_residuals_of_one_person_everywhere_are_the_residuals():
    assert torch.equal(masked_residual(residuals(1), torch.ones(1, 2, 4)), residuals(1)[0])


def test_the_same_residuals_over_shares_that_fill_the_picture_are_the_residuals():
    shares = torch.randn(3, 2, 4, dtype=torch.float64).softmax(0)

    assert torch.allclose(masked_residual(residuals(1) * 3, shares), residuals(1)[0], rtol=1e-12)


def test_the_order_of_people_does_not_matter():
    masks = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(5))
    order = [1, 2, 0]

    permuted = masked_residual([residuals(3)[i] for i in order], masks[order])

    assert torch.allclose(permuted, masked_residual(residuals(3), masks), rtol=1e-12)


def test_an_empty_mask_adds_nothing_of_even_a_broken_residual():
    masks = torch.stack([torch.ones(2, 4), torch.zeros(2, 4)])
    broken = torch.full_like(residuals()[0], torch.nan)

    assert torch.equal(masked_residual([residuals()[0], broken], masks), residuals()[0])
    assert torch.equal(masked_residual([broken, broken], 0 * masks), torch.zeros(2, 3, 2, 4).double())


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.25, 0.5, 0.5, 0.75), (0.1875, 0.4375, 0.5625, 0.8125)),
        ((0.0, 0.25, 0.5, 0.5), (0.0, 0.1875, 0.625, 0.5625)),
        ((0.5, 0.5, 1.0, 1.0), (0.375, 0.375, 1.0, 1.0)),
        ((-0.5, 0.25, 0.5, 0.5), (0.0, 0.1875, 0.75, 0.5625)),
        ((2.0, 2.0, 3.0, 3.0), (1.0, 1.0, 1.0, 1.0)),
        ((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)),
    ],
)
def test_a_box_grows_by_a_quarter_on_each_side_and_stays_in_the_picture(box, expected):
    assert grown_box(box) == expected


def test_a_box_in_pixels_is_clipped_to_the_pixels():
    assert grown_box((400, 100, 500, 140), 0.25, 512, 512) == (375, 90, 512, 150)
    assert grown_box((400, 100, 500, 140), 0.0, 512, 512) == (400, 100, 500, 140)
