"""What the bench `layout` judges by: bodies on rendered pictures, average precision, who is in front."""

import numpy as np
import pytest
import torch
from pack.attention.figures.depth_layout import Look, draw_layout
from pack.measure.layout import box_iou
from pack.scripts.benches.offline_world.bodies import find_body
from pack.scripts.benches.offline_world.layout_scores import (
    ap_figure,
    average_precision,
    hits_by_confidence,
    is_in_front,
    ordered_pairs,
    region_boxes,
)
from pack.scripts.benches.offline_world.people import Target
from pack.scripts.benches.offline_world.placed import CROWN, HEADS, TALL, Placed, random_regions, rendered_picture

RED, BLUE = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def placed():
    """Ten pictures' worth of four people in random regions."""
    generator = torch.Generator().manual_seed(1)
    prompt = "four room, red sad left, blue sad right, yellow sad ahead, green sad right"
    cases = []
    for _ in range(10):
        regions = random_regions(4, generator)
        target = Target(prompt, (), (), torch.zeros(1, 128, 128))
        cases.append(Placed(target, regions, draw_layout(regions, 128, 128, Look("standing", heads=HEADS))))
    return cases


def true_face(region):
    """About where the face of a rendered person is, xyxy pixels of 128."""
    half = region.height / TALL
    x, y = region.x + region.width / 2, region.y + CROWN * half + 0.12 * half
    return np.array([x - 0.76 * half, y - 0.86 * half, x + 0.76 * half, y + 0.86 * half]) * 128


def test_regions_are_in_the_picture_from_left_to_right_and_larger_ones_nearer(placed):
    for case in placed:
        middles = [region.x + region.width / 2 for region in case.regions]
        nearest_first = sorted(case.regions, key=lambda region: region.order)
        assert middles == sorted(middles)
        assert 0 < middles[0] < middles[-1] < 1
        assert [r.height for r in nearest_first] == sorted((r.height for r in case.regions), reverse=True)


def test_the_shirts_are_those_of_the_prompt_in_turn(placed):
    assert placed[0].shirts == ["red", "blue", "yellow", "green"]


def test_bodies_are_found_below_rendered_faces(placed):
    fits = []
    for number, case in enumerate(placed):
        picture = rendered_picture(case, number, 128)
        bodies = np.array([find_body(picture, true_face(region)).box for region in case.regions])
        fits += np.diagonal(box_iou(bodies, region_boxes(case, 128))).tolist()

    assert np.mean(fits) > 0.8
    assert np.mean(np.array(fits) >= 0.5) > 0.95


def test_on_rendered_pictures_everybody_is_seen_in_front_of_whom_they_should(placed):
    pairs = right = 0
    for number, case in enumerate(placed):
        picture = rendered_picture(case, number, 128)
        bodies = [find_body(picture, true_face(region)) for region in case.regions]
        of, hits = ordered_pairs(case, picture, bodies, np.arange(4))
        pairs, right = pairs + of, right + hits

    assert pairs >= 5
    assert right == pairs


def test_a_missing_person_is_in_front_of_nobody(placed):
    picture = np.zeros((128, 128, 3), np.uint8)
    counted = [ordered_pairs(case, picture, [], np.full(4, -1)) for case in placed]

    assert sum(pairs for pairs, _ in counted) >= 5
    assert sum(right for _, right in counted) == 0


def test_who_is_in_front_is_whose_shirt_shows_more():
    shared = np.zeros((10, 10, 3), np.uint8)
    shared[..., 0] = 255
    shared[:4] = (0, 0, 255)

    assert is_in_front(shared, RED, BLUE)
    assert not is_in_front(shared, BLUE, RED)
    assert not is_in_front(shared, RED, RED * 0.9)
    assert not is_in_front(shared, None, BLUE)


def test_a_region_is_hit_once_by_the_surest_body():
    fits = np.array([[0.6, 0.0], [0.9, 0.0], [0.3, 0.7], [0.1, 0.2]])

    assert hits_by_confidence(fits) == [True, False, True, False]
    assert hits_by_confidence(np.zeros((0, 2))) == []


def test_average_precision_of_known_cases():
    sure = np.array([0.9, 0.8, 0.7])

    assert average_precision(sure, np.array([1.0, 1.0, 1.0]), 3) == pytest.approx(1)
    assert average_precision(sure, np.array([1.0, 0.0, 1.0]), 2) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(sure, np.array([0.0, 0.0, 1.0]), 2) == pytest.approx(1 / 6)
    assert average_precision(np.array([]), np.array([]), 2) == 0


def test_average_precision_has_an_interval_over_pictures():
    values = {"picture": [0, 0, 1, 2], "confidence": [0.9, 0.8, 0.7, 0.6], "hit": [1, 1, 0, 1], "regions": [2, 1, 1]}
    figure = ap_figure({name: [float(value) for value in row] for name, row in values.items()})

    assert figure.value == pytest.approx((1 + 1 + 3 / 4) / 4)
    assert figure.low < figure.value <= figure.high
    assert figure.samples == 3
