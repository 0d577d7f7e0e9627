"""Squares around faces, who may change which pixel, soft rims, pasting, and whose face is whose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.nodes.refine.close_ups import Square, claims, cut, head_in, paste, scaled, soft_edged, square_around
from pack.nodes.refine.member_faces import faces_of_members
from pack.nodes.refine.refine_inputs import latent_size

SIZES = st.tuples(st.integers(8, 60), st.integers(8, 60))
SQUARES = st.builds(Square, st.integers(-30, 60), st.integers(-30, 60), st.integers(1, 60))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def whole(side):
    return np.ones((side, side), bool)


def test_a_square_has_the_face_in_its_middle_and_room_around_it():
    assert square_around((10, 20, 30, 50), 2.0) == Square(-10, 5, 60)
    assert square_around((10.4, 20.4, 30.4, 30.4), 1.0) == Square(10, 15, 20)
    assert square_around((5, 5, 5, 5), 2.0).side == 1


def test_beyond_the_picture_its_outermost_pixels_go_on():
    picture = noise(6, 9)

    assert np.array_equal(cut(picture, Square(2, 1, 4), 4), picture[1:5, 2:6])
    beyond = cut(picture, Square(-2, -2, 4), 4)
    assert np.array_equal(beyond[2:, 2:], picture[:2, :2])
    assert (beyond[:3, :3] == picture[0, 0]).all()


def test_shrinking_counts_every_pixel():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200

    assert np.abs(scaled(stripes, 16).astype(int) - 100)[:, 2:-2].max() <= 1


@settings(deadline=None, max_examples=60)
@given(SIZES, st.lists(st.none() | SQUARES, min_size=1, max_size=4), st.integers(0, 9))
def test_nobody_claims_what_is_another_persons(size, squares, seed):
    draw = np.random.default_rng(seed)
    regions = draw.random((len(squares), *size)) < 0.7
    found = claims(squares, regions, [square and whole(square.side) for square in squares])

    owners = np.zeros(size, int)
    for square, claim, region in zip(squares, found, regions, strict=True):
        assert (square is None) == (claim is None)
        if square is not None:
            part = square.within(*size)
            assert claim.sum() == claim[part.square].sum()
            assert not (claim[part.square] & ~region[part.picture]).any()
            owners[part.picture] += claim[part.square]
    assert owners.max() <= 1


def test_who_is_in_front_keeps_what_both_could_change():
    everywhere = np.ones((2, 10, 10), bool)
    corners = np.zeros((6, 6), bool)
    corners[np.ix_([0, -1], [0, -1])] = True
    first, second = claims([Square(0, 0, 6), Square(4, 4, 6)], everywhere, [~corners, ~corners])

    assert np.array_equal(first, ~corners)
    assert np.array_equal(second[:2, :2], [[False, False], [False, True]])
    assert second.sum() == 36 - 4 - 2


@pytest.mark.parametrize("feather", [0.0, 0.2])
def test_a_head_is_pasted_with_its_hair_and_without_what_lies_beside_the_neck(feather):
    box, square = (30, 30, 70, 80), Square(0, 5, 100)
    weights = soft_edged(head_in(square, box, feather), square, feather, 120, 100)

    at = lambda x, y: float(weights[y - square.top, x])  # noqa: E731
    assert all(at(*inside) > 0.9 for inside in ((50, 55), (38, 50), (62, 50), (50, 30)))  # face, cheeks, hair
    assert all(at(*beside) < 0.1 for beside in ((25, 88), (75, 88), (10, 55), (90, 55), (50, 103)))
    assert at(26, 50) > 0.4 > 0.2 > at(20, 70)  # ears, and below them


@settings(deadline=None, max_examples=100)
@given(SIZES, SQUARES, st.floats(0, 0.5), st.integers(0, 9))
def test_a_rim_lies_inside_and_the_middle_is_whole(size, square, feather, seed):
    height, width = size
    region = np.zeros((1, height, width), bool)
    draw = np.random.default_rng(seed)
    top, left = draw.integers(0, height), draw.integers(0, width)
    region[0, top : top + draw.integers(1, height + 1), left : left + draw.integers(1, width + 1)] = True
    (claim,) = claims([square], region, [whole(square.side)])

    weights = soft_edged(claim, square, feather, height, width)

    assert weights.dtype == np.float32
    assert weights.shape == claim.shape
    assert (weights[~claim] == 0).all()
    assert weights.max(initial=0) <= 1
    rim, part = 2 * round(feather * square.side / 2), square.within(height, width)
    for y, x in np.argwhere(claim):
        around = claim[max(0, y - rim) : y + rim + 1, max(0, x - rim) : x + rim + 1]
        outside = around.size - around.sum()
        beyond = _beyond_the_picture(part, square, y, x, rim)
        if outside == beyond and min(y, x, square.side - 1 - y, square.side - 1 - x) >= rim:
            assert weights[y, x] == pytest.approx(1, abs=1e-5)


def _beyond_the_picture(part, square, y, x, rim):
    """How many pixels of the square around a pixel lie beyond the picture, where no rim is."""
    rows, columns = part.square
    inside = np.zeros((square.side, square.side), bool)
    inside[rows, columns] = True
    around = inside[max(0, y - rim) : y + rim + 1, max(0, x - rim) : x + rim + 1]
    return around.size - around.sum()


def test_the_rim_rises_from_the_edge_and_not_at_the_pictures_border():
    square = Square(0, 5, 20)
    weights = soft_edged(np.ones((20, 20), bool), square, 0.3, 40, 40)

    across, down = weights[10], weights[:, 5]
    assert across[0] == pytest.approx(1)
    assert (np.diff(across[13:]) < 0).all()
    assert 0 < down[0] < down[1] < down[10] == pytest.approx(1)


@settings(deadline=None, max_examples=60)
@given(SIZES, SQUARES, st.floats(0, 0.5))
def test_pasting_changes_nothing_where_the_weight_is_0(size, square, feather):
    picture, close_up = noise(*size), noise(24, 24, seed=1)
    (claim,) = claims([square], np.ones((1, *size), bool), [whole(square.side)])
    before = picture.copy()

    new, changed = paste(picture, np.zeros(size, bool), close_up, square, soft_edged(claim, square, feather, *size))

    assert np.array_equal(picture, before)
    assert np.array_equal(new[~changed], picture[~changed])
    if feather == 0:
        part = square.within(*size)
        drawn = scaled(close_up, square.side)[part.square]
        assert np.array_equal(new[part.picture][claim[part.square]], drawn[claim[part.square]])


def regions_of(*columns):
    """Regions of a picture of 10 rows and 100 columns, from and to a column."""
    regions = np.zeros((len(columns), 10, 100), bool)
    for region, (first, end) in zip(regions, columns, strict=True):
        region[:, first:end] = True
    return regions


def boxes_at(*places):
    """Boxes around the middles (x, half size)."""
    return np.array([[x - half, 5 - half, x + half, 5 + half] for x, half in places], np.float32)


def test_a_face_outside_of_every_region_is_nobodys_however_alike():
    similarity = np.array([[0.9, 0.9], [0.1, 0.1]])

    found = faces_of_members(similarity, boxes_at((60, 4), (20, 4)), regions_of((0, 40), (70, 100)))

    assert found.tolist() == [1, -1]


def test_in_an_overlap_likeness_decides_over_all_members_at_once():
    similarity = np.array([[0.9, 0.8], [0.7, 0.1]])  # the first face resembles both, the second only the first member

    found = faces_of_members(similarity, boxes_at((50, 4), (45, 4)), regions_of((0, 60), (40, 100)))

    assert found.tolist() == [1, 0]


def test_a_member_gets_a_face_before_another_gets_a_better_one():
    similarity = np.array([[0.9, -0.8], [0.85, 0.2]])  # only the first face lies in the second member's region

    found = faces_of_members(similarity, boxes_at((50, 4), (10, 4)), regions_of((0, 60), (40, 100)))

    assert found.tolist() == [1, 0]


def test_of_equals_the_larger_face_is_taken():
    similarity = np.array([[0.5], [0.5], [0.5]])

    assert faces_of_members(similarity, boxes_at((20, 2), (50, 4), (80, 3)), regions_of((0, 100))).tolist() == [1]


def test_more_members_than_faces_leave_some_without():
    similarity = np.array([[0.1, 0.5, 0.3]])

    assert faces_of_members(similarity, boxes_at((50, 2)), regions_of(*[(0, 100)] * 3)).tolist() == [-1, 0, -1]


@pytest.mark.parametrize(("asked", "side"), [(512, 512), (515, 512), (517, 520), (1, 64), (101, 104)])
def test_a_close_up_has_a_side_that_latents_have(asked, side):
    assert latent_size(asked) == side
