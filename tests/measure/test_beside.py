"""Figures that need more than faces: a target, boxes of people, prompts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pack.measure.layout import box_iou, layout_iou, outer_boxes
from pack.measure.prompt_margin import prompt_margins
from pack.measure.targets import blending, copy_paste, of_members

DEGREES = np.deg2rad


def test_a_copy_of_the_reference_is_one_and_the_target_itself_minus_one():
    apart = np.cos(DEGREES([60.0, 60.0, 60.0]))
    to_target = np.cos(DEGREES([60.0, 0.0, 30.0]))
    to_reference = np.cos(DEGREES([0.0, 60.0, 30.0]))

    np.testing.assert_allclose(copy_paste(to_target, to_reference, apart), [1, -1, 0], atol=1e-7)


def test_a_missing_face_has_no_copy_paste():
    assert np.isnan(copy_paste(np.array([np.nan]), np.array([np.nan]), np.array([0.5]))).all()


def test_a_target_that_is_the_reference_divides_by_nothing():
    assert copy_paste(np.ones(1), np.ones(1), np.ones(1)).tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (3, 4), elements=st.floats(-1, 1)).filter(lambda e: (np.linalg.norm(e, axis=1) > 0.1).all()))
def test_copy_paste_lies_between_its_ends(embeddings):
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    generated, target, reference = unit

    measure = copy_paste(
        *(np.array([pair]) for pair in (generated @ target, generated @ reference, target @ reference))
    )

    assert -1 - 1e-6 <= measure[0] <= 1 + 1e-6 or target @ reference > 1 - 1e-9


def test_blending_is_the_likeness_to_the_others_targets():
    similarity = np.array([[0.8, 0.1, np.nan], [0.3, 0.6, np.nan]])

    assert blending(similarity, np.array([0, 1, -1])) == pytest.approx(0.2)
    assert blending(similarity[:, :1], np.array([0])) is None
    assert blending(similarity[:0], np.array([-1, -1, -1])) is None
    assert of_members(similarity, np.array([1, -1, 0]))[:2].tolist() == pytest.approx([0.3, np.nan], nan_ok=True)


def test_boxes_overlap_by_intersection_over_union():
    boxes = np.array([[0, 0, 2, 2], [5, 5, 5, 9]])
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 0, 4, 2], [5, 5, 5, 9]])

    np.testing.assert_allclose(box_iou(boxes, others), [[1, 1 / 3, 0, 0], [0, 0, 0, 0]])
    assert box_iou(np.zeros((0, 4)), others).shape == (0, 4)


def test_each_person_counts_for_one_region():
    regions = np.array([[0, 0, 2, 2], [1, 0, 3, 2]])

    np.testing.assert_allclose(layout_iou(np.array([[0, 0, 2, 2]]), regions), [1, 0])
    np.testing.assert_allclose(layout_iou(np.array([[1, 0, 3, 2], [0, 0, 2, 2], [9, 9, 10, 10]]), regions), [1, 1])
    assert layout_iou(np.zeros((0, 4)), regions).tolist() == [0, 0]


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (4, 4), elements=st.floats(0, 9)), st.permutations(range(4)))
def test_people_may_be_found_in_any_order(edges, order):
    people = np.concatenate([edges[:, :2], edges[:, :2] + edges[:, 2:]], axis=1)
    regions = np.array([[0, 0, 5, 9], [4, 0, 9, 9.0]])

    assert layout_iou(people, regions).sum() == pytest.approx(layout_iou(people[order], regions).sum())


def test_the_box_around_a_region():
    regions = np.zeros((2, 6, 8), bool)
    regions[0, 1:3, 4:7] = True

    assert outer_boxes(regions).tolist() == [[4, 1, 7, 3], [0, 0, 0, 0]]


def test_a_margin_is_ones_own_prompt_before_the_mean_of_the_others():
    similarity = np.array([[0.3, 0.1, 0.2], [0.2, 0.2, 0.2], [0.4, 0.2, 0.1]])

    np.testing.assert_allclose(prompt_margins(similarity), [0.15, 0, -0.2], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (3, 3), elements=st.floats(-1, 1)), st.permutations(range(3)))
def test_margins_go_with_their_people(similarity, order):
    order = list(order)

    np.testing.assert_allclose(
        prompt_margins(similarity[order][:, order]), prompt_margins(similarity)[order], atol=1e-12
    )


def test_nobody_is_mixed_up_alone():
    with pytest.raises(ValueError, match=r"at least two people.*\[1, 1\]"):
        prompt_margins(np.ones((1, 1)))
