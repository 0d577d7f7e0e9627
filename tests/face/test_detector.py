"""The arithmetic of SCRFD-format detectors, against outputs written by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.face.detector import anchor_centres, decode, detect_faces, letterbox, network_input, non_maximum_suppression
from pack.tests.face.onnx_packs import empty_outputs

SIZE = (256, 128)  # width, height


def one_face(outputs, level, stride, column, row, anchor=0, score=0.9):
    """Write one face of known place into empty outputs; returns its box and key points in input pixels."""
    cell = 2 * (row * (SIZE[0] // stride) + column) + anchor
    outputs[level][cell] = score
    outputs[level + 3][cell] = [1.0, 1.5, 2.0, 2.5]
    outputs[level + 6][cell] = [-1, -1, 1, -1, 0, 0, -1, 1, 1, 1]
    x, y = column * stride, row * stride
    box = [x - stride, y - 1.5 * stride, x + 2 * stride, y + 2.5 * stride]
    return box, np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]]) * stride + [x, y]


@pytest.mark.parametrize(("level", "stride"), [(0, 8), (1, 16), (2, 32)])
@pytest.mark.parametrize("anchor", [0, 1])
def test_boxes_and_key_points_are_distances_from_anchors_in_strides(level, stride, anchor):
    outputs = empty_outputs(SIZE)
    box, points = one_face(outputs, level, stride, column=3, row=2, anchor=anchor)

    found = decode(outputs, SIZE)

    np.testing.assert_allclose(found.boxes, [box])
    np.testing.assert_allclose(found.keypoints, [points])
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)


def test_the_order_of_the_outputs_and_a_batch_axis_do_not_matter():
    outputs = empty_outputs(SIZE)
    one_face(outputs, 0, 8, 5, 1)
    one_face(outputs, 2, 32, 1, 3)
    plain = decode(outputs, SIZE)

    shuffled = [outputs[index] for index in (8, 0, 4, 2, 6, 1, 7, 3, 5)]
    by_map = [outputs[index] for index in (0, 3, 6, 1, 4, 7, 2, 5, 8)]

    for other in (shuffled, by_map, [output[None] for output in outputs]):
        found = decode(other, SIZE)
        assert np.array_equal(found.boxes, plain.boxes)
        assert np.array_equal(found.keypoints, plain.keypoints)


def test_a_detector_without_key_points_gives_boxes_alone():
    outputs = empty_outputs(SIZE, keypoints=False)
    outputs[1][6] = 0.8

    found = decode(outputs, SIZE)

    assert found.keypoints is None
    assert len(found.boxes) == 1


def test_a_detector_of_five_maps_and_one_anchor_is_read_too():
    cells = [(256 // stride) * (128 // stride) for stride in (8, 16, 32, 64, 128)]
    outputs = [np.zeros((n, columns), np.float32) for columns in (1, 4) for n in cells]
    outputs[4][1] = 0.7
    outputs[9][1] = [0.5, 0.25, 0.5, 0.25]

    found = decode(outputs, SIZE)

    np.testing.assert_allclose(found.boxes, [[64, -32, 192, 32]])


def test_scores_at_the_threshold_count_and_below_do_not():
    outputs = empty_outputs(SIZE)
    one_face(outputs, 1, 16, 2, 2, score=0.5)
    one_face(outputs, 1, 16, 9, 2, score=0.4999)

    assert len(decode(outputs, SIZE).boxes) == 1


@pytest.mark.parametrize(
    "outputs",
    [
        [np.zeros((8, 2), np.float32)],
        empty_outputs(SIZE)[:7],
        [*empty_outputs(SIZE)[:6], np.zeros((4, 10), np.float32)],
        [],
    ],
)
def test_outputs_of_another_format_are_refused_with_their_shapes(outputs):
    with pytest.raises(ValueError, match=r"gave outputs of shapes .*SCRFD-format"):
        decode(outputs, SIZE)


def test_a_size_that_does_not_fit_the_feature_maps_is_refused():
    with pytest.raises(ValueError, match=r"15 anchors at stride 8"):
        anchor_centres((64, 64), 8, 15)


def test_anchors_run_row_by_row_with_a_cells_anchors_side_by_side():
    expected = [[0, 0], [0, 0], [32, 0], [32, 0], [0, 32], [0, 32], [32, 32], [32, 32]]

    assert np.array_equal(anchor_centres((64, 64), 32, 8), expected)


@pytest.mark.parametrize(
    ("height", "width", "fitted"),
    [(100, 200, (128, 256)), (200, 100, (128, 64)), (64, 64, (128, 128)), (1000, 3, (128, 1)), (2, 4000, (1, 256))],
)
def test_pictures_are_fitted_into_the_top_left_corner(height, width, fitted):
    canvas, scale = letterbox(np.full((height, width, 3), 255, np.uint8), SIZE)

    assert canvas.shape == (128, 256, 3)
    assert scale == fitted[0] / height
    assert canvas[: fitted[0], : fitted[1]].min() == 255
    assert canvas.sum() == fitted[0] * fitted[1] * 3 * 255


def test_the_network_sees_red_first_in_the_published_range():
    canvas = np.zeros((32, 32, 3), np.uint8)
    canvas[..., 0] = 255

    pixels = network_input(canvas)

    assert pixels.shape == (1, 3, 32, 32)
    assert pixels.dtype == np.float32
    assert pixels[0, 0, 0, 0] == np.float32(127.5 / 128)
    assert pixels[0, 2, 0, 0] == np.float32(-127.5 / 128)


def test_found_faces_are_in_pixels_of_the_picture_best_first():
    outputs = empty_outputs(SIZE)
    one_face(outputs, 0, 8, 3, 2, score=0.6)
    box, points = one_face(outputs, 1, 16, 10, 5, score=0.9)

    found = detect_faces(np.zeros((64, 100, 3), np.uint8), lambda pixels: outputs, SIZE)

    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-6)
    np.testing.assert_allclose(found.boxes[0], np.array(box) / 2)
    np.testing.assert_allclose(found.keypoints[0], points / 2)


def test_a_picture_without_a_face_gives_empty_arrays():
    found = detect_faces(np.zeros((64, 100, 3), np.uint8), lambda pixels: empty_outputs(SIZE), SIZE)

    assert found.boxes.shape == (0, 4)
    assert found.keypoints.shape == (0, 5, 2)


def test_of_two_boxes_on_one_face_the_better_is_kept():
    boxes = np.array([[0, 0, 99, 99], [10, 0, 109, 99], [50, 0, 149, 99], [300, 0, 399, 99]], float)

    assert non_maximum_suppression(boxes, 0.4) == [0, 2, 3]  # 0 and 1 share 9/11 of their union, 0 and 2 a third


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2), max_size=12))
def test_kept_boxes_never_overlap_too_much_and_dropped_ones_always_do(rectangles):
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in rectangles], float).reshape(-1, 4)

    kept = non_maximum_suppression(boxes, 0.4)

    def overlap(a, b):
        low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
        area = lambda box: np.prod(box[2:] - box[:2] + 1)  # noqa: E731
        shared = np.prod(np.maximum(high - low + 1, 0))
        return shared / (area(a) + area(b) - shared)

    assert kept == sorted(kept)
    assert all(overlap(boxes[i], boxes[j]) <= 0.4 for i in kept for j in kept if i < j)
    for dropped in set(range(len(boxes))) - set(kept):
        assert any(overlap(boxes[dropped], boxes[i]) > 0.4 for i in kept if i < dropped)
