"""Where faces are expected in regions, which found face belongs to which region, and the marks drawn on them."""

import math

import pytest
import torch
from pack.attention.figures.control_marks import CIRCLES, POINTS, key_point_picture, with_circles
from pack.attention.figures.faces import FacePlace, face_found, face_in, faces_of_regions, own_points
from pack.attention.figures.placing import figure_in, place_in
from pack.attention.regions.region import Region

TALL = Region("tall", x=0.3, y=0.1, width=0.3, height=0.8)


def dot_at(x, y, side=0.1):
    return FacePlace(x, y, side, ((x, y),) * 5)


@pytest.mark.parametrize("pose", ["standing", "sitting", "bust", "auto"])
@pytest.mark.parametrize("rotation", [0.0, 35.0])
def test_the_face_is_on_the_head_that_depth_layout_draws(pose, rotation):
    region = Region("a", x=0.3, y=0.1, width=0.3, height=0.8, rotation=rotation)
    face = face_in(region, 1.5, pose)
    cover, _ = figure_in(place_in(region, 1.5, pose), 200, 300)

    for x, y in ((face.x, face.y), *face.key_points):
        assert cover[int(y * 200), int(x * 300)] == 1


def test_key_points_are_a_face_seen_from_the_front():
    left, right, nose, mouth_left, mouth_right = face_in(TALL, 1.0, "standing").key_points

    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert left[1] == right[1] < nose[1] < mouth_left[1] == mouth_right[1]
    assert (left[0] + right[0]) / 2 == pytest.approx(0.45)


def test_a_region_of_a_face_is_the_face():
    face = face_in(Region("a", x=0.4, y=0.2, width=0.1, height=0.1), 1.0, "face")

    assert (face.x, face.y, face.side) == pytest.approx((0.45, 0.25, 0.1))
    assert all(0.4 < x < 0.5 and 0.2 < y < 0.3 for x, y in face.key_points)


def test_a_found_face_keeps_its_place_and_points():
    face = face_found((10, 20, 30, 60), [(12, 30), (28, 30), (20, 40), (14, 50), (26, 50)], 100, 200, 2.0)

    assert (face.x, face.y) == (0.1, 0.4)
    assert face.side == pytest.approx((20 * 40) ** 0.5 / 100)
    assert face.key_points[2] == (0.1, 0.4)


@pytest.mark.parametrize(("aspect", "x", "y"), [(1.0, -0.3, 0.4), (4.0, 0.1, 0.3)])
def test_of_a_photo_of_another_shape_the_middle_counts_and_faces_are_not_stretched(aspect, x, y):
    """A photo of 200 x 100: for a square the columns 50 to 150, for one of 4 to 1 the rows 25 to 75."""
    face = face_found((10, 30, 30, 50), [(12, 35), (28, 35), (20, 40), (14, 45), (26, 45)], 100, 200, aspect)

    assert (face.x, face.y) == pytest.approx((x, y))
    assert face.side == pytest.approx(20 / (100 if aspect == 1 else 50))
    left, right, _, low, _ = face.key_points
    assert (right[0] - left[0]) * aspect / face.side == pytest.approx(16 / 20)
    assert (low[1] - left[1]) / face.side == pytest.approx(10 / 20)


OF_A_PHOTO = ((100, 100, 140, 160), [(110, 120), (130, 118), (125, 132), (112, 148), (128, 146)])


@pytest.mark.parametrize("figure", ["standing", "bust", "face"])
@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_a_persons_own_key_points_are_those_of_the_photo_turned_and_scaled(figure, rotation):
    region = Region("a", x=0.3, y=0.1, width=0.3, height=0.8, rotation=rotation)
    own, usual = face_in(region, 1.5, figure, own=own_points(*OF_A_PHOTO)), face_in(region, 1.5, figure)

    assert (own.x, own.y, own.side) == (usual.x, usual.y, usual.side)
    size = (40 * 60) ** 0.5 / own.side
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    for (x, y), (px, py) in zip(own.key_points, OF_A_PHOTO[1], strict=True):
        along, down = (px - 120) / size, (py - 130) / size
        assert (x - own.x) * 1.5 == pytest.approx(along * cos - down * sin)
        assert y - own.y == pytest.approx(along * sin + down * cos)


def test_the_usual_key_points_are_those_of_a_photo_from_the_front():
    face = face_in(TALL, 1.0, "bust")
    side = face.side
    box = (face.x - side / 2, face.y - side / 2, face.x + side / 2, face.y + side / 2)

    again = face_in(TALL, 1.0, "bust", own=own_points(box, face.key_points))

    assert sum(again.key_points, ()) == pytest.approx(sum(face.key_points, ()))
    assert own_points((5, 5, 5, 9), face.key_points) is None


def test_each_region_takes_the_largest_face_in_it_and_no_face_twice():
    left, both = Region("left", width=0.5), Region("both")
    faces = [dot_at(0.2, 0.5, 0.1), dot_at(0.3, 0.5, 0.2), dot_at(0.8, 0.5, 0.05)]

    assert faces_of_regions([both, left], faces, 1.0) == [0, 1]
    assert faces_of_regions([left, Region("far", x=0.9, width=0.1)], faces, 1.0) == [1, -1]
    assert faces_of_regions([left], [], 1.0) == [-1]


def test_circles_have_the_stated_radius_and_four_colours_in_turn():
    faces = [dot_at(0.1 + 0.2 * i, 0.5, 0.2) for i in range(5)]
    picture = with_circles(torch.zeros(100, 100, 3), faces, 0.2)

    for index, face in enumerate(faces):
        assert tuple(picture[50, round(face.x * 100)].tolist()) == CIRCLES[index % 4]
    first = (picture[:, :25].amax(-1) > 0.5).sum()
    assert float(first) == pytest.approx(torch.pi * (0.2 * 0.2 * 100) ** 2, rel=0.05)


def test_a_circle_changes_nothing_beside_it_and_not_the_picture_that_was_given():
    given = torch.rand(60, 60, 3)
    before = given.clone()
    marked = with_circles(given, [dot_at(0.5, 0.5, 0.2)], 0.5)

    assert torch.equal(given, before)
    assert torch.equal(marked[:20], before[:20])
    assert not torch.equal(marked, before)


def test_circles_beyond_the_edge_are_cut():
    assert torch.equal(with_circles(torch.zeros(20, 20, 3), [dot_at(3.0, 3.0)], 0.2), torch.zeros(20, 20, 3))
    assert with_circles(torch.zeros(20, 20, 3), [dot_at(0.0, 0.0, 0.5)], 0.2)[0, 0, 0] == 1


def test_key_points_are_dots_joined_to_the_nose_by_dimmer_sticks():
    face = face_in(Region("a"), 1.0, "face")
    picture = key_point_picture([face], 200, 200, 4.0)

    for (x, y), colour in zip(face.key_points, POINTS, strict=True):
        assert tuple(picture[int(y * 200), int(x * 200)].tolist()) == colour
    (left_x, left_y), (nose_x, nose_y) = face.key_points[0], face.key_points[2]
    halfway = picture[int((left_y + nose_y) * 100), int((left_x + nose_x) * 100)]
    assert halfway.tolist() == pytest.approx([0.6, 0.0, 0.0])
    assert (picture.amax(-1) > 0).float().mean() < 0.1


def test_every_face_is_in_the_key_point_picture():
    faces = [face_in(Region("a", x=0.1, y=0.1, width=0.2, height=0.2), 1.0, "face"), face_in(TALL, 1.0)]
    both = key_point_picture(faces, 128, 128, 2.0)
    apart = [key_point_picture([face], 128, 128, 2.0) for face in faces]

    assert torch.equal(both, torch.maximum(*apart))
