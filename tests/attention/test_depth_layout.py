"""Depth maps of people in regions: who covers whom, how bright they are, and whose the pixels of overlaps are."""

import pytest
import torch
from pack.attention.figures.depth_layout import BACKDROP, Look, draw_layout
from pack.attention.regions.region import Region, rasterise

LEFT = Region("left", x=0.05, y=0.1, width=0.5, height=0.9, order=1)
RIGHT = Region("right", x=0.4, y=0.1, width=0.5, height=0.9, order=0)
SIZE = 128


def drawn(*regions, **look):
    return draw_layout(regions, SIZE, SIZE, Look(**look))


def test_the_nearer_person_is_brighter_and_covers_the_other():
    layout = drawn(LEFT, RIGHT)
    left, right = layout.visible
    alone = drawn(LEFT).visible[0], drawn(RIGHT).visible[0]

    assert layout.depth[right > 0.99].min() > layout.depth[left > 0.99].max() + 0.2
    assert torch.equal(right, alone[1])
    assert torch.equal(left, alone[0] * (1 - right))
    assert (alone[0] * alone[1]).sum() > 50


def test_swapping_the_orders_swaps_who_is_in_front():
    behind, front = Region("left", x=0.05, y=0.1, width=0.5, height=0.9, order=-3), RIGHT
    layout = drawn(behind, front)

    assert torch.equal(layout.visible[0], drawn(behind).visible[0])


def test_equal_orders_are_equally_near_and_the_first_in_the_list_is_in_front():
    one, other = Region("a", x=0.1, width=0.5), Region("b", x=0.4, width=0.5)
    layout = drawn(one, other)

    assert torch.equal(layout.visible[0], drawn(one).visible[0])
    seen = [layout.depth[visible > 0.99] for visible in layout.visible]
    assert float(seen[0].max()) == pytest.approx(float(seen[1].max()), abs=1e-2)


def test_brightness_goes_in_even_steps_from_near_to_far():
    regions = [Region(str(order), x=0.25 * i, width=0.24, order=order) for i, order in enumerate((7, -2, 40, 7))]
    layout = drawn(*regions, near=0.9, far=0.3)
    peaks = [float(layout.depth[visible > 0.99].max()) for visible in layout.visible]

    assert peaks == pytest.approx([0.6, 0.9, 0.3, 0.6], abs=0.02)


def test_a_body_is_rounder_in_the_middle_than_at_its_edge():
    layout = drawn(Region("a", x=0.2, y=0.1, width=0.6, height=0.9))
    row = layout.depth[SIZE // 3][layout.visible[0, SIZE // 3] > 0.99]

    assert row[len(row) // 2] > row[0] + 0.02
    assert row[len(row) // 2] > row[-1] + 0.02


def test_the_ground_comes_nearer_downwards_and_stays_behind_everybody():
    empty = draw_layout([], SIZE, SIZE, Look()).depth
    column = empty[:, 0]

    assert torch.equal(empty, column[:, None].expand(-1, SIZE))
    assert (column[1:] >= column[:-1]).all()
    assert float(column[0]) == pytest.approx(BACKDROP)
    assert float(column[-1]) == pytest.approx(0.2, abs=0.01)
    assert (column[1:] - column[:-1]).max() < 0.01
    assert torch.equal(draw_layout([], SIZE, SIZE, Look(ground=0.0)).depth, torch.full((SIZE, SIZE), BACKDROP))


def test_depth_stays_within_zero_and_one():
    layout = drawn(LEFT, RIGHT, near=1.0, far=0.0)

    assert layout.depth.min() >= 0
    assert layout.depth.max() <= 1


def test_single_people_have_poses_of_their_own():
    plain, seated = drawn(LEFT, RIGHT, heads=5.0), drawn(LEFT, RIGHT, heads=5.0, poses={"left": "sitting"})

    assert not torch.equal(plain.visible[0], seated.visible[0])
    assert torch.equal(plain.visible[1], seated.visible[1])


def test_as_painted_a_region_is_its_persons_outline():
    mask = torch.zeros(8, 8)
    mask[2:6, 3:7] = 1
    painted = Region("a", "mask", mask=mask)
    layout = drawn(painted, pose="as painted")

    assert torch.equal(layout.visible[0], rasterise([painted], SIZE, SIZE)[0])


def test_otherwise_a_person_stands_in_the_box_around_the_paint():
    mask = torch.zeros(8, 8)
    mask[2:8, 3:7] = 1
    layout = drawn(Region("a", "mask", mask=mask), Region("b", "box", 0.375, 0.25, 0.5, 0.75))
    alone = drawn(Region("b", "box", 0.375, 0.25, 0.5, 0.75))

    assert torch.equal(layout.visible[0], alone.visible[0])


def test_regions_that_overlap_nobody_stay_as_they_are():
    one, other = Region("a", "ellipse", width=0.4, order=3), Region("b", x=0.5, width=0.5)
    kept = drawn(one, other).regions

    assert [(r.name, r.shape, r.x, r.width, r.order) for r in kept] == [
        ("a", "ellipse", 0.0, 0.4, 3),
        ("b", "box", 0.5, 0.5, 0),
    ]


def test_overlaps_are_shared_out_and_nothing_is_lost():
    layout = drawn(LEFT, RIGHT)
    before, after = rasterise([LEFT, RIGHT], SIZE, SIZE), rasterise(layout.regions, SIZE, SIZE)

    assert [(r.name, r.shape, r.order) for r in layout.regions] == [("left", "mask", 1), ("right", "mask", 0)]
    assert after.sum(0).max() <= 1 + 1e-5
    assert (after.sum(0) >= before.amax(0) - 1e-5).all()
    assert (after <= before + 1e-5).all()


def test_in_an_overlap_people_keep_their_visible_bodies_and_the_rest_goes_to_the_front():
    layout = drawn(LEFT, RIGHT)
    before, after = rasterise([LEFT, RIGHT], SIZE, SIZE), rasterise(layout.regions, SIZE, SIZE)
    overlap = before.prod(0) > 0.99

    for share, visible in zip(after, layout.visible, strict=True):
        assert share[overlap & (visible > 0.99)].min() > 0.98
    assert after[1][overlap & (layout.visible.sum(0) == 0)].min() > 0.98


def test_pictures_of_any_aspect_hold_the_same_people():
    square = drawn(Region("a", x=0.25, y=0.0, width=0.5, height=1.0), pose="standing").visible[0]
    broad = draw_layout([Region("a", x=0.375, width=0.25)], SIZE, 2 * SIZE, Look("standing")).visible[0]

    assert torch.equal(broad[:, 64:192], square)
