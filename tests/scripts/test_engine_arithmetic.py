"""The arithmetic of the benches `speed` and `leak`: medians, shares of energy, cells that a box touches."""

import math

import torch
from pack.scripts.benches.engine.latent_leak import share_outside
from pack.scripts.benches.engine.layer_leak import BOXES, touched
from pack.scripts.benches.engine.timing import median_figure


def test_a_cell_is_touched_by_whatever_lies_in_it():
    middle = touched(BOXES[1], (4, 4))

    assert middle.int().tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_median_has_an_interval_from_six_values_on():
    few, six, outlier = (
        median_figure([1, 2, 3, 4, 5]),
        median_figure([6, 1, 2, 3, 4, 5]),
        median_figure([*range(20), 1e9]),
    )

    assert (few.value, few.low, few.high) == (3, -math.inf, math.inf)
    assert (six.value, six.low, six.high) == (3.5, 1, 6)
    assert (outlier.value, outlier.low, outlier.high) == (10, 5, 15)


def test_the_share_outside_is_that_of_the_other_half():
    change = torch.zeros(1, 2, 2, 4)
    change[..., 0], change[..., 3] = 1.0, 2.0

    assert (share_outside(change, 0), share_outside(change, 1)) == (0.8, 0.2)
