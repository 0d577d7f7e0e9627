"""Regions from masks and from coloured pictures, and changes to one region of a list."""

import pytest
import torch
from pack.attention.regions.edits import Edit, edited
from pack.attention.regions.painted import bounding_region, colour_masks, main_colours, painted_region
from pack.attention.regions.region import Region, rasterise

LIST = (Region("a", width=0.5, order=4), Region("b", x=0.5, width=0.5, order=4), Region("c", order=9))


def mask_of(rows: slice, columns: slice, value: float = 1.0) -> torch.Tensor:
    mask = torch.zeros(40, 60)
    mask[rows, columns] = value
    return mask


def test_a_painted_region_shows_the_same_mask_again():
    mask = mask_of(slice(3, 17), slice(20, 55)) * torch.rand(40, 60).clamp(min=0.1)

    assert torch.allclose(rasterise([painted_region("a", mask, 3)], 40, 60)[0], mask, atol=1e-5)
    assert painted_region("a", mask, 3).order == 3


def test_an_empty_mask_makes_a_region_that_covers_nothing():
    assert not rasterise([painted_region("a", torch.zeros(40, 60))], 40, 60).any()


def test_a_box_goes_around_what_is_painted_at_least_half():
    mask = mask_of(slice(10, 20), slice(15, 45), 0.8) + mask_of(slice(0, 5), slice(0, 5), 0.1)
    box = bounding_region("a", mask, "box")

    assert (box.shape, box.x, box.y, box.width, box.height) == ("box", 0.25, 0.25, 0.5, 0.25)


def test_colours_part_a_picture_and_noise_stays_with_its_colour():
    picture = torch.zeros(20, 20, 3)
    picture[5:15, 2:8] = torch.tensor([1.0, 0.0, 0.0])
    picture[5:15, 10:18] = torch.tensor([0.0, 0.0, 1.0])
    noisy = (picture + 0.04 * torch.rand(20, 20, 3, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    found = main_colours(noisy, 0.1, 0.01)
    red, blue = colour_masks(noisy, [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)], 0.1)

    assert len(found) == 3
    assert sum(share for _, share in found) == pytest.approx(1)
    assert torch.equal(red, (picture[..., 0] == 1).float())
    assert torch.equal(blue, (picture[..., 2] == 1).float())


def test_a_photo_of_countless_colours_ends():
    assert len(main_colours(torch.rand(64, 64, 3), 0.0, 0.0)) <= 256


def test_only_what_is_named_changes():
    for region in LIST:
        after = edited(LIST, region.name, Edit())
        assert [vars(r) for r in after] == [vars(r) for r in LIST]


def test_a_region_grows_about_its_centre_and_moves():
    (region,) = edited(
        [Region("a", x=0.2, y=0.2, width=0.2, height=0.4)], "a", Edit(right=0.1, down=-0.1, wider=2, taller=0.5)
    )

    assert (region.x, region.y, region.width, region.height) == pytest.approx((0.2, 0.2, 0.4, 0.2))


def test_turns_add_up_and_stay_within_half_a_circle():
    (region,) = edited([Region("a", rotation=170.0)], "a", Edit(turn=30))

    assert region.rotation == pytest.approx(-160)


@pytest.mark.parametrize(
    ("depth", "front_to_back"),
    [("to the front", "bac"), ("one forward", "bac"), ("one back", "acb"), ("to the back", "acb"), ("keep", "abc")],
)
def test_depth_changes_among_all_regions(depth, front_to_back):
    after = edited(LIST, "b", Edit(depth=depth))

    assert "".join(r.name for r in sorted(after, key=lambda r: r.order)) == front_to_back
    assert [r.name for r in after] == ["a", "b", "c"]


@pytest.mark.parametrize(("position", "names"), [(0, "abc"), (1, "cab"), (2, "acb"), (3, "abc"), (64, "abc")])
def test_a_region_takes_another_place_in_the_list(position, names):
    assert "".join(r.name for r in edited(LIST, "c", Edit(position=position))) == names


@pytest.mark.parametrize(
    ("name", "edit", "sentence"),
    [
        ("z", Edit(), "no region 'z'. There are: 'a', 'b', 'c'"),
        ("a", Edit(rename="b"), "a region 'b' already"),
        ("a", Edit(right=1.5), "outside of the picture"),
        ("a", Edit(depth="sideways"), "no depth 'sideways'"),
    ],
)
def test_an_edit_that_cannot_be_is_said_in_words(name, edit, sentence):
    with pytest.raises(ValueError, match=sentence):
        edited(LIST, name, edit)


def test_a_painted_region_cannot_be_turned_and_is_moved_with_its_paint():
    painted = painted_region("a", mask_of(slice(0, 10), slice(0, 15)))
    (moved,) = edited([painted], "a", Edit(right=0.5, down=0.5))

    with pytest.raises(ValueError, match="painted and cannot be turned"):
        edited([painted], "a", Edit(turn=10))
    assert torch.allclose(rasterise([moved], 40, 60)[0], mask_of(slice(20, 30), slice(30, 45)), atol=1e-5)
