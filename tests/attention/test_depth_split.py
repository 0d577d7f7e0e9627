"""People found in a depth map: who is in front, and whose the pixels of overlapping regions are."""

import torch
from pack.attention.figures.depth_layout import Look, draw_layout
from pack.attention.figures.depth_reading import otsu, ranks_of, read_layout
from pack.attention.regions.region import Region, rasterise

LEFT = Region("left", x=0.05, y=0.1, width=0.5, height=0.9, order=5)
RIGHT = Region("right", x=0.4, y=0.1, width=0.5, height=0.9, order=5)


def blocks() -> torch.Tensor:
    """A far person on the left, a near one on the right, who hides a part of the other: [20, 20]."""
    depth = torch.full((20, 20), 0.1)
    depth[4:, 2:11] = 0.4
    depth[4:, 9:17] = 0.8
    return depth


def test_the_brighter_person_is_in_front_whatever_the_regions_said():
    layout = read_layout([LEFT, RIGHT], blocks())

    assert [(r.name, r.order) for r in layout.regions] == [("left", 1), ("right", 0)]


def test_every_visible_pixel_goes_to_the_person_it_belongs_to():
    layout = read_layout([LEFT, RIGHT], blocks())
    far, near = torch.zeros(20, 20), torch.zeros(20, 20)
    far[4:, 2:9] = 1
    near[4:, 9:17] = 1

    assert torch.equal(layout.visible[0], far)
    assert torch.equal(layout.visible[1], near)
    assert torch.equal(layout.depth, blocks())


def test_overlaps_are_split_and_the_regions_keep_the_rest():
    layout = read_layout([LEFT, RIGHT], blocks())
    before, after = rasterise([LEFT, RIGHT], 20, 20), rasterise(layout.regions, 20, 20)

    assert after.sum(0).max() <= 1 + 1e-5
    assert torch.allclose(after.sum(0), before.amax(0), atol=1e-5)
    assert after[0, 10, 8] == 1
    assert after[1, 10, 10] == 1


def test_what_depth_layout_draws_is_read_back():
    regions = [
        Region("a", x=0.0, y=0.1, width=0.4, height=0.9, order=2),
        Region("b", x=0.3, y=0.2, width=0.4, height=0.8, order=0),
        Region("c", x=0.62, y=0.15, width=0.38, height=0.85, order=1),
    ]
    drawn = draw_layout(regions, 128, 128, Look(heads=3.2))
    read = read_layout(regions, drawn.depth)

    assert [r.order for r in read.regions] == [2, 0, 1]
    for one, other in zip(drawn.visible > 0.5, read.visible > 0.5, strict=True):
        assert (one & other).sum() / (one | other).sum() > 0.9


def test_people_at_one_depth_share_a_rank():
    assert ranks_of([0.3, 0.9, 0.31, 0.6]) == [2, 0, 2, 1]
    assert ranks_of([]) == []


def test_a_region_hidden_behind_others_and_one_without_contrast_are_read_too():
    hidden = Region("hidden", x=0.5, y=0.3, width=0.1, height=0.2)
    flat = Region("sky", x=0.0, y=0.0, width=0.3, height=0.15)
    layout = read_layout([LEFT, RIGHT, hidden, flat], blocks())

    assert layout.visible.sum(0).max() == 1
    assert layout.regions[3].order == max(region.order for region in layout.regions)


def test_a_region_outside_of_the_picture_is_seen_nowhere():
    layout = read_layout([LEFT, Region("out", x=2.0, y=0.0, width=0.5, height=0.5)], blocks())

    assert not layout.visible[1].any()


def test_otsu_parts_two_groups():
    values = torch.cat([torch.linspace(0.1, 0.2, 50), torch.linspace(0.6, 0.7, 20)])

    assert 0.2 < otsu(values) <= 0.6
    assert int((values >= otsu(values)).sum()) == 20
