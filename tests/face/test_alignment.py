"""Key points to upright crops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack.face.alignment import TEMPLATE_112, aligned_crop, similarity_transform, template


@given(
    st.floats(-np.pi, np.pi),
    st.floats(0.05, 20),
    st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
    st.integers(0, 99),
)
def test_a_similarity_is_recovered_exactly(angle, scale, shift, seed):
    points = np.random.default_rng(seed).normal(0, 30, (5, 2))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    fitted = similarity_transform(points, points @ turn.T + shift)

    np.testing.assert_allclose(fitted, np.column_stack([turn, shift]), atol=1e-8)


def test_mirrored_points_are_fitted_without_mirroring():
    mirrored = TEMPLATE_112 * [-1, 1]

    fitted = similarity_transform(mirrored, TEMPLATE_112)

    assert np.linalg.det(fitted[:, :2]) > 0


def test_no_other_similarity_comes_closer():
    draw = np.random.default_rng(0)
    source, target = draw.normal(0, 20, (5, 2)), TEMPLATE_112
    best = similarity_transform(source, target)
    error = lambda m: np.sum((source @ m[:, :2].T + m[:, 2] - target) ** 2)  # noqa: E731

    for _ in range(100):
        a, b, x, y = draw.normal(0, 1e-2, 4)
        assert error(best + np.array([[a, -b, x], [b, a, y]])) >= error(best)


@pytest.mark.parametrize(
    ("size", "scale", "right"), [(112, 1, 0), (224, 2, 0), (256, 2, 16), (336, 3, 0), (512, 4, 32), (640, 5, 40)]
)
def test_larger_crops_scale_the_template_by_their_family(size, scale, right):
    np.testing.assert_allclose(template(size), TEMPLATE_112 * scale + [right, 0])


@pytest.mark.parametrize("size", [0, -112, 100, 300])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=f"multiple of 112 or 128 pixels, not {size}"):
        template(size)


def test_a_crop_at_the_template_itself_is_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)

    assert np.array_equal(aligned_crop(picture, TEMPLATE_112), picture)


def test_a_turned_face_comes_out_upright():
    picture = np.zeros((300, 300, 3), np.uint8)
    keypoints = np.round(np.array([[0, 20], [0, -20], [20, 0], [45, 15], [45, -15]]) + 150)  # lies on its side
    for (x, y), shade in zip(keypoints.astype(int), (50, 100, 150, 200, 250), strict=True):
        picture[y - 3 : y + 4, x - 3 : x + 4] = shade

    crop = aligned_crop(picture, keypoints)

    at = lambda x, y: int(crop[round(y), round(x), 0])  # noqa: E731
    assert [at(*point) for point in TEMPLATE_112] == [50, 100, 150, 200, 250]


def test_beyond_the_border_a_crop_is_black():
    crop = aligned_crop(np.full((40, 40, 3), 255, np.uint8), TEMPLATE_112)

    assert crop[:39, :39].min() == 255
    assert crop[41:].max() == 0


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_key_points_that_cannot_be_aligned_are_refused(points):
    with pytest.raises(ValueError, match="must be finite and differ"):
        similarity_transform(points, TEMPLATE_112)
