"""One figure for a whole picture, and the best of several."""

import numpy as np
import pytest
from pack.measure.likeness import score_picture
from pack.measure.ranking import best, overall

HALVES = np.zeros((2, 10, 20), bool)
HALVES[0, :, :10] = HALVES[1, :, 10:] = True
LEFT, RIGHT, FAR_RIGHT = [2, 2, 6, 6], [12, 2, 16, 6], [16, 2, 19, 5]


def value(similarity, boxes):
    return overall(score_picture(np.array(similarity, float).reshape(-1, 2), np.reshape(boxes, (-1, 4)), HALVES))


def test_likeness_counts_where_it_belongs():
    assert value([[0.8, 0.1], [0.0, 0.6]], [LEFT, RIGHT]) == pytest.approx(0.7)
    assert value([[0.8, 0.1], [0.0, 0.6]], [RIGHT, LEFT]) == 0
    assert value([[0.8, 0.1]], [LEFT]) == pytest.approx(0.4)
    assert value([], []) == 0


def test_strangers_and_dislike_lower_it():
    assert value([[0.8, 0.1], [0.0, 0.6], [0.0, 0.0]], [LEFT, RIGHT, FAR_RIGHT]) == pytest.approx(0.7 * 2 / 3)
    assert value([[0.8, 0.1], [-0.9, -0.5]], [LEFT, RIGHT]) == pytest.approx(0.4)


def test_the_best_come_first_and_equals_in_their_order():
    assert best([0.1, 0.5, None, 0.5, 0.9], 3) == [4, 1, 3]
    assert best([0.1, 0.5, None, 0.5, 0.9], 9) == [4, 1, 3, 0, 2]
    assert best([0.1, 0.5, None], 1, smallest=True) == [0]
    assert best([None, None], 1) == [0]


def test_nothing_cannot_be_kept():
    with pytest.raises(ValueError, match="At least one picture must be kept, got 0"):
        best([0.1], 0)
