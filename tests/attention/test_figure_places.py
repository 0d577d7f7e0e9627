"""People in regions: how tall, how broad, where the head is, and that they are human in outline."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.figures.bodies import Build, thickness, usual_shoulders
from pack.attention.figures.placing import boxed, figure_in, picture_point, place_in
from pack.attention.regions.region import Region, rasterise

TALL = Region("tall", x=0.35, y=0.05, width=0.25, height=0.9)


def extent(cover):
    rows, columns = (cover.amax(axis) > 0.5 for axis in (1, 0))
    rows, columns = rows.nonzero().flatten(), columns.nonzero().flatten()
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def widths(cover, *heights):
    """How broad the outline is at given parts of its height, gaps left out."""
    _, top, _, bottom = extent(cover)
    return [int((cover[round(top + at * (bottom - top - 1))] > 0.5).sum()) for at in heights]


def test_a_standing_person_is_as_tall_as_the_region_and_no_broader():
    cover, _ = figure_in(place_in(TALL, 1.0, "standing"), 400, 400)
    left, top, right, bottom = extent(cover)

    assert (top, bottom) == (20, 380)
    assert 140 <= left < 165
    assert 215 < right <= 240


def test_an_outline_has_a_head_a_neck_shoulders_and_two_legs():
    cover, _ = figure_in(place_in(TALL, 1.0, "standing"), 400, 400)
    head, neck, shoulders, thighs = widths(cover, 0.07, 0.145, 0.2, 0.6)

    assert neck < head < shoulders
    assert thighs < shoulders
    row = cover[round(20 + 0.75 * 360)] > 0.5
    assert int((row[1:].int() - row[:-1].int() == 1).sum()) == 2


def test_a_head_is_a_part_of_the_height_that_the_proportions_name():
    for heads in (3.0, 5.0, 7.5):
        place = place_in(TALL, 1.0, "standing", heads)
        assert place.head == pytest.approx(min(0.9 / heads, 0.25 / (1.6 * usual_shoulders(heads))))


def test_a_sitting_person_has_a_larger_head_and_knees_in_place_of_thighs():
    standing, sitting = (place_in(TALL, 1.0, pose, 6.0) for pose in ("standing", "sitting"))

    assert sitting.head >= standing.head
    assert sitting.seated
    body = Build(7.5, usual_shoulders(7.5))
    knee = torch.tensor([[0.5]]), torch.tensor([[4.2]])
    assert thickness(body, *knee, seated=True) > thickness(body, *knee)


def test_a_bust_fills_the_region_down_to_its_lower_edge_and_shows_no_feet():
    region = Region("broad", x=0.2, y=0.3, width=0.6, height=0.7)
    cover, _ = figure_in(place_in(region, 1.0, "bust"), 200, 200)

    assert extent(cover)[1] == 60
    assert extent(cover)[3] == 200
    assert widths(cover, 0.99)[0] > 80


def test_auto_shows_all_of_a_person_in_a_slim_region_and_a_bust_in_a_broad_one():
    slim, broad = Region("slim", width=0.2, height=0.9), Region("broad", width=0.6, height=0.7)

    assert place_in(slim, 1.0, "auto") == place_in(slim, 1.0, "standing")
    assert place_in(broad, 1.0, "auto") == place_in(broad, 1.0, "bust")


def test_a_person_in_a_region_too_slim_for_them_is_smaller_and_stands_on_its_lower_edge():
    region = Region("slit", x=0.48, y=0.1, width=0.04, height=0.8)
    for pose in ("standing", "sitting", "bust"):
        left, top, right, bottom = extent(figure_in(place_in(region, 1.0, pose), 400, 400)[0])
        assert bottom in (359, 360)
        assert top > 40
        assert left >= 192
        assert right <= 208


def test_a_person_lies_where_the_region_is_turned():
    upright = figure_in(place_in(Region("a", x=0.3, y=0.1, width=0.4, height=0.8), 1.0), 100, 100)[0]
    lying = figure_in(place_in(Region("a", x=0.3, y=0.1, width=0.4, height=0.8, rotation=90), 1.0), 100, 100)[0]

    assert torch.allclose(torch.rot90(upright, -1), lying, atol=0.3)
    assert (torch.rot90(upright, -1) - lying).abs().mean() < 0.01


def test_a_region_beyond_the_edge_shows_the_part_that_is_in_the_picture():
    inside = figure_in(place_in(Region("a", x=0.2, y=0.0, width=0.5, height=2.0), 1.0, "standing"), 64, 64)[0]
    outside = figure_in(place_in(Region("a", x=3.0, y=0.0, width=0.5, height=1.0), 1.0, "standing"), 64, 64)[0]

    assert inside[0:8].any()
    assert inside[-1].any()
    assert not outside.any()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-0.5, 0.9),
    st.floats(-0.5, 0.9),
    st.floats(0.02, 2),
    st.floats(0.02, 2),
    st.sampled_from(("auto", "standing", "sitting", "bust")),
    st.floats(2, 10),
    st.floats(0.5, 2),
)
def test_nobody_leaves_their_region_and_the_head_is_inside(x, y, width, height, pose, heads, aspect):
    region = Region("a", x=x, y=y, width=width, height=height)
    place = place_in(region, aspect, pose, heads)
    cover, roundness = figure_in(place, 48, round(48 * aspect))

    assert not cover[rasterise([region], 48, round(48 * aspect))[0] == 0].any()
    assert 0 <= float(roundness.min()) <= float(roundness.max()) <= 1
    face_x, face_y = picture_point(place, 0.0, 0.6)
    assert x <= face_x <= x + width
    assert y <= face_y <= y + height


def test_the_box_of_a_painted_region_is_around_the_paint_alone():
    mask = torch.zeros(10, 20)
    mask[2:5, 10:20] = 0.8
    box = boxed(Region("a", "mask", x=0.5, y=0.0, width=0.5, height=1.0, mask=mask))

    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.75, 0.2, 0.25, 0.3))


def test_an_unknown_pose_lists_those_there_are():
    with pytest.raises(ValueError, match="'flying'.*standing, sitting, bust"):
        place_in(TALL, 1.0, "flying")
