"""Likeness, place and count of pictures whose right answer is plain to see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pack.measure.intervals import mean_interval
from pack.measure.likeness import inside, mean_of, score_picture

LEFT_RIGHT = np.zeros((2, 10, 20), bool)
LEFT_RIGHT[0, :, :10] = LEFT_RIGHT[1, :, 10:] = True
LEFT, RIGHT, FAR_RIGHT = [2, 2, 6, 6], [12, 2, 16, 6], [16, 2, 19, 5]


def score(similarity, boxes, regions=LEFT_RIGHT):
    return score_picture(np.array(similarity, float).reshape(-1, len(regions)), np.array(boxes).reshape(-1, 4), regions)


def test_two_people_in_their_places():
    result = score([[0.8, 0.1], [0.0, 0.6]], [LEFT, RIGHT])

    assert result.own.tolist() == [0.8, 0.6]
    assert result.other == pytest.approx(0.05)
    assert result.right_place.tolist() == [True, True]
    assert (result.count, result.expected) == (2, 2)


def test_swapped_people_keep_their_likeness_and_lose_their_place():
    result = score([[0.8, 0.1], [0.0, 0.6]], [RIGHT, LEFT])

    assert result.own.tolist() == [0.8, 0.6]
    assert result.right_place.tolist() == [False, False]
    assert result.placed.tolist() == [False, False]


def test_a_missing_face_is_similarity_zero_and_the_wrong_place():
    result = score([[0.8, 0.1]], [LEFT])

    assert result.own.tolist() == [0.8, 0.0]
    assert result.right_place.tolist() == [True, False]
    assert mean_of([result])["own"] == pytest.approx(0.4)
    assert mean_of([result])["right_place"] == 0.5
    assert mean_of([result])["count_right"] == 0


def test_an_empty_picture_scores_nothing():
    result = score([], [])

    assert result.own.tolist() == [0, 0]
    assert result.other is None
    assert result.right_place.tolist() == [False, False]


def test_the_same_person_twice_is_in_place_once():
    result = score([[0.8, 0.1], [0.7, 0.3]], [LEFT, RIGHT])

    assert result.own.tolist() == [0.8, 0.3]
    assert result.right_place.tolist() == [True, False]


def test_a_surplus_face_improves_nothing_but_the_wrong_count():
    without = score([[0.8, 0.1], [0.7, 0.3]], [LEFT, RIGHT])
    with_more = score([[0.8, 0.1], [0.7, 0.3], [0.1, 0.2]], [LEFT, RIGHT, FAR_RIGHT])

    assert with_more.own.tolist() == without.own.tolist()
    assert with_more.right_place.tolist() == without.right_place.tolist()
    assert with_more.placed.tolist() == [True, False, False]
    assert with_more.count == 3


def test_a_face_outside_every_region_or_the_picture_is_in_no_place():
    regions = LEFT_RIGHT.copy()
    regions[:, :, 8:12] = False

    assert score([[0.8, 0.1]], [[8, 2, 12, 6]], regions).right_place.tolist() == [False, False]
    assert score([[0.8, 0.1]], [[-8, 2, -4, 6]]).right_place.tolist() == [False, False]
    assert score([[0.1, 0.8]], [[18, 2, 26, 6]]).right_place.tolist() == [False, False]


def test_where_regions_overlap_the_face_decides_whose_place_it_is():
    everywhere = np.ones((2, 10, 20), bool)

    assert score([[0.8, 0.1], [0.0, 0.6]], [LEFT, RIGHT], everywhere).right_place.tolist() == [True, True]


def test_the_same_reference_for_two_members_can_fill_both_places():
    assert score([[0.8, 0.8], [0.7, 0.7]], [LEFT, RIGHT]).right_place.tolist() == [True, True]


def test_one_member_alone_has_nobody_to_be_confused_with():
    result = score([[0.4]], [LEFT], LEFT_RIGHT[:1])

    assert result.other is None
    assert result.right_place.tolist() == [True]


def test_random_faces_are_in_the_right_place_one_time_in_r():
    draw = np.random.default_rng(0)
    results = [score(draw.normal(0, 0.1, (2, 2)), [LEFT, RIGHT]) for _ in range(2000)]

    assert mean_of(results)["right_place"] == pytest.approx(0.5, abs=0.03)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5).flatmap(lambda f: arrays(np.float64, (f, 3), elements=st.floats(-1, 1))), st.data())
def test_members_and_their_regions_may_come_in_any_order(similarity, data):
    regions = np.zeros((3, 6, 9), bool)
    for index in range(3):
        regions[index, :, 3 * index : 3 * index + 4] = True
    corners = data.draw(arrays(np.float64, (len(similarity), 2), elements=st.floats(-2, 9)))
    boxes = np.concatenate([corners, corners + 1], axis=1)
    order = data.draw(st.permutations(range(3)))

    plain = score_picture(similarity, boxes, regions)
    turned = score_picture(similarity[:, order], boxes, regions[order])

    assert plain.own.sum() == pytest.approx(turned.own.sum())
    assert 0 <= plain.right_place.sum() <= min(3, len(similarity))


def test_centres_are_tested_by_pixel():
    boxes = np.array([[9.0, 0, 10.9, 2], [9, 0, 11.0, 2]])  # centres at 9.95 and 10.0

    assert inside(boxes, LEFT_RIGHT).tolist() == [[True, False], [False, True]]


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"need boxes \[1, 4\] and regions \[2, H, W\]"):
        score_picture(np.zeros((1, 2)), np.zeros((2, 4)), LEFT_RIGHT)
    with pytest.raises(ValueError, match="no picture"):
        mean_of([])


def test_an_interval_covers_the_mean_about_as_often_as_it_says():
    draw = np.random.default_rng(0)
    bounds = [mean_interval(draw.normal(1, 1, 40), draws=400, seed=seed) for seed in range(200)]

    covered = np.mean([low <= 1 <= high for low, high in bounds])

    assert 0.88 < covered < 0.99


def test_too_few_values_say_nothing():
    assert mean_interval([0.7]) == (-np.inf, np.inf)
    with pytest.raises(ValueError, match="finite"):
        mean_interval([0.1, np.nan])
