"""Nodes that make, show and change regions: from masks, from colours, to masks, as a preview, edited."""

import tracemalloc

import pytest
import torch
from pack.attention.regions.region import Region, rasterise
from pack.nodes.regions.region_source_nodes import RegionsFromColours, RegionsFromMasks
from pack.nodes.regions.region_tool_nodes import EditRegion, RegionMasks, RegionPreview
from pack.scripts.benches.engine.allocations import allocated_peak

ADA = Region("Ada", x=0.0, y=0.25, width=0.5, height=0.75, order=1)
BEN = Region("Ben", "ellipse", x=0.25, y=0.25, width=0.5, height=0.5, order=0)


def masks_of(*regions, names="", overlaps="as drawn", feather=0.0, image=None):
    return RegionMasks.execute(regions, 64, 32, names, overlaps, feather, image).args


def from_colours(picture, people="", background="auto", tolerance=0.1, shape="mask"):
    return RegionsFromColours.execute(picture, people, background, tolerance, shape).args[0]


@pytest.fixture
def coloured():
    """Blue on the left, red on the right, on white."""
    picture = torch.ones(1, 20, 40, 3)
    picture[0, 5:15, 4:14] = torch.tensor([0.0, 0.0, 1.0])
    picture[0, 5:20, 20:35] = torch.tensor([1.0, 0.0, 0.0])
    return picture


def test_masks_become_regions_and_regions_masks_again():
    masks = rasterise([ADA, BEN], 32, 64)
    regions, _ = RegionsFromMasks.execute(masks, "Ada\nBen", "mask").args
    again, everybody = masks_of(*regions)

    assert [region.name for region in regions] == ["Ada", "Ben"]
    assert torch.allclose(again, masks, atol=1e-5)
    assert torch.equal(everybody, again.amax(0, keepdim=True))


def test_masks_without_names_are_numbered_and_follow_the_regions_that_are_there():
    regions, _ = RegionsFromMasks.execute(torch.ones(3, 8, 8), "Cleo, ", "box", (ADA,)).args

    assert [region.name for region in regions] == ["Ada", "Cleo", "person 2", "person 3"]
    assert (regions[1].shape, regions[1].width, regions[1].height) == ("box", 1.0, 1.0)


def test_a_single_mask_is_a_batch_of_one():
    assert len(RegionsFromMasks.execute(torch.ones(8, 8), "Ada", "ellipse").args[0]) == 1


@pytest.mark.parametrize("shape", [(2, 1, 6, 8), (2, 6, 8, 1), (2, 6, 8)])
def test_masks_of_other_packs_are_read_with_an_axis_of_one(shape):
    masks = torch.zeros(2, 6, 8)
    masks[0, 2:4, 1:5] = masks[1, 0:6, 6:8] = 1
    regions, _ = RegionsFromMasks.execute(masks.view(shape), "Ada, Ben", "mask").args

    assert torch.allclose(rasterise(regions, 6, 8), masks, atol=1e-6)


def test_the_frames_of_a_clip_are_people_with_a_hint():
    frames = torch.zeros(16, 32, 64)
    for number in range(16):
        frames[number, 8:32, number : number + 24] = 1  # one person, who walks to the right
    regions, report = RegionsFromMasks.execute(frames, "", "mask").args

    assert len(regions) == 16
    assert "16 regions: person 1, person 2" in report
    assert "as the frames of a clip do" in report


def test_people_beside_each_other_are_reported_without_a_hint():
    _, report = RegionsFromMasks.execute(rasterise([ADA, BEN], 32, 64), "Ada, Ben", "mask").args

    assert report == "2 masks, 2 regions: Ada, Ben."


@pytest.mark.parametrize(
    ("masks", "names", "sentence"),
    [
        (torch.ones(2, 6, 8, 3), "", r"shape \[2, 6, 8, 3\], needs \[masks, height, width\]"),
        (torch.ones(2, 2, 6, 8), "", r"shape \[2, 2, 6, 8\]"),
        (torch.ones(8), "", r"shape \[8\]"),
        (torch.ones(1, 1, 1, 6, 8), "", r"shape \[1, 1, 1, 6, 8\]"),
        (torch.ones(1, 8, 8), "Ada, Ben", "2 names .*Ada, Ben.* for 1 masks"),
        (torch.ones(2, 8, 8), "Ada, Ada", "two regions would be named 'Ada'"),
        (torch.stack([torch.ones(8, 8), torch.zeros(8, 8)]), "Ada, Ben", "nothing is painted on mask 2 .'Ben'"),
    ],
)
def test_masks_that_do_not_fit_are_said_in_words(masks, names, sentence):
    with pytest.raises(ValueError, match=f"Troupe, Regions from Masks: .*{sentence}"):
        RegionsFromMasks.execute(masks, names, "mask")


def test_colours_are_found_by_themselves_from_left_to_right(coloured):
    regions = from_colours(coloured, shape="box")

    assert [(r.name, r.x, r.y, r.width, r.height) for r in regions] == [
        ("blue", 0.1, 0.25, 0.25, 0.5),
        ("red", 0.5, 0.25, 0.375, 0.75),
    ]


def test_people_are_found_by_the_colours_they_are_given(coloured):
    ada, ben = from_colours(coloured, "Ada: red\nBen: rgb(0, 0, 255)")

    assert (ada.name, ben.name) == ("Ada", "Ben")
    assert torch.equal(rasterise([ada], 20, 40)[0], (coloured[0, ..., 1] == 0).float() * coloured[0, ..., 0])


@pytest.mark.parametrize(
    ("people", "background", "sentence"),
    [
        ("Ada: green", "auto", "no pixel has the colour #008000 of 'Ada'.*#0000ff|no pixel .*#ff0000"),
        ("Ada", "auto", "'Ada' is no name with a colour. Write 'Ada: red'"),
        ("Ada: reddish", "auto", "'reddish' is no colour"),
        ("Ada: red, Ada: blue", "auto", "'Ada' has two colours"),
        ("", "colourless", "'colourless' is no colour"),
    ],
)
def test_colours_that_do_not_fit_are_said_in_words(coloured, people, background, sentence):
    with pytest.raises(ValueError, match=f"Troupe, Regions from Colours: .*{sentence}"):
        from_colours(coloured, people, background)


def test_an_empty_picture_and_a_batch_are_said_in_words(coloured):
    with pytest.raises(ValueError, match="nothing but its background #ffffff"):
        from_colours(torch.ones(1, 8, 8, 3))
    with pytest.raises(ValueError, match="a batch of 2 pictures"):
        from_colours(coloured.expand(2, -1, -1, -1))


def test_masks_come_in_the_order_they_are_asked_for_and_have_the_pictures_size():
    masks, everybody = masks_of(ADA, BEN, names="Ben, Ada", image=torch.zeros(1, 16, 24, 3))

    assert masks.shape == (2, 16, 24)
    assert everybody.shape == (1, 16, 24)
    assert torch.equal(masks, rasterise([BEN, ADA], 16, 24))


def test_overlaps_of_masks_are_shared_among_all_regions():
    apart = {rule: masks_of(ADA, BEN, overlaps=rule)[0] for rule in ("normalise", "priority", "depth")}
    inside = rasterise([ADA, BEN], 32, 64).prod(0) == 1

    assert torch.all(apart["normalise"][:, inside] == 0.5)
    assert apart["priority"][0][inside].min() == 1
    assert apart["depth"][1][inside].min() == 1
    assert torch.equal(masks_of(ADA, BEN, names="Ada", overlaps="depth")[0][0], apart["depth"][0])


def test_feathered_masks_are_soft():
    hard, soft = masks_of(ADA)[0], masks_of(ADA, feather=0.05)[0]

    assert ((hard > 0) & (hard < 1)).sum() == 0
    assert ((soft > 0.1) & (soft < 0.9)).sum() > 20


def test_no_region_is_an_empty_mask_and_an_unknown_one_an_error():
    assert torch.equal(masks_of()[0], torch.zeros(1, 32, 64))
    with pytest.raises(ValueError, match="Troupe, Region Masks: there is no region 'Zoe'. There are: 'Ada'"):
        masks_of(ADA, names="Zoe")


def test_a_preview_shows_outlines_names_and_who_is_nearer():
    (preview,) = RegionPreview.execute((ADA, BEN), 256, 256, 1.0).args
    empty = RegionPreview.execute((), 256, 256, 1.0).args[0]
    middle = preview[0, 256, 192]  # Ada and Ben overlap here; Ben is nearer

    assert preview.shape == (1, 512, 512, 3)
    assert len(empty.unique()) == 1
    assert torch.equal(middle, preview[0, 256, 300])
    assert not torch.equal(middle, preview[0, 480, 100])
    renamed = RegionPreview.execute((Region("Zoe", y=0.25, width=0.5, height=0.75, order=1), BEN), 256, 256, 1.0).args[
        0
    ]
    assert not torch.equal(preview, renamed)


def test_a_preview_is_drawn_on_every_picture_of_a_batch():
    pictures = torch.rand(2, 64, 96, 3)
    (preview,) = RegionPreview.execute((ADA,), 512, 512, 0.0, pictures).args

    assert preview.shape == (2, 512, 768, 3)
    assert not torch.equal(preview[0], preview[1])


def test_a_preview_of_many_regions_takes_little_beside_itself():
    many = [Region(str(n), "ellipse", 0.02 * n, 0.1, 0.4, 0.8, n, order=-n) for n in range(12)]

    tensors = allocated_peak(lambda: RegionPreview.execute(many, 1024, 1024, 0.5))
    tracemalloc.start()
    RegionPreview.execute(many, 1024, 1024, 0.5)
    arrays = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert tensors + arrays - 1024 * 1024 * 3 * 4 < 35e6


def test_a_region_is_edited_by_its_name():
    edited = EditRegion.execute(
        (ADA, BEN), "Ben", rename="Bo", right=0.25, down=0.0, wider=1.0, taller=1.0, turn=0.0, depth="to the back",
        position=1,
    ).args[0]  # fmt: skip

    assert [(r.name, r.x, r.order) for r in edited] == [("Bo", 0.5, 1), ("Ada", 0.0, 0)]


def test_an_edit_of_nobody_names_the_node_and_the_regions():
    with pytest.raises(ValueError, match="Troupe, Edit Region: there is no region 'Zoe'. There are: 'Ada', 'Ben'"):
        EditRegion.execute((ADA, BEN), "Zoe")


HALF = "Ada \ud83d"  # as is left of a picture sign that was cut in two


@pytest.mark.parametrize(
    "make",
    [
        lambda: RegionsFromMasks.execute(torch.ones(1, 8, 8), HALF, "mask"),
        lambda: RegionsFromColours.execute(torch.ones(1, 8, 8, 3), f"{HALF}: white", "auto", 0.1, "box"),
        lambda: EditRegion.execute((ADA,), "Ada", rename=HALF),
    ],
    ids=["masks", "colours", "rename"],
)
def test_half_a_character_in_a_name_is_said_in_words(make):
    with pytest.raises(ValueError, match=r"name of a region, 'Ada .*ud83d', holds half of a character") as raised:
        make()
    str(raised.value).encode()


@pytest.mark.parametrize("overlaps", ["as drawn", "normalise", "priority", "depth"])
def test_masks_of_many_regions_take_little_beside_themselves(overlaps):
    many = [Region(str(n), "ellipse", 0.02 * n, 0.1, 0.4, 0.8, n, order=-n) for n in range(16)]
    took = allocated_peak(lambda: RegionMasks.execute(many, 1024, 1024, "", overlaps, 0.0))

    assert took - 17 * 1024 * 1024 * 4 < 50e6
