"""Depth Layout, Pose Circles and Key-Point Picture: what they hand out, and what they say when they cannot."""

import pytest
import torch
from pack.attention.figures.control_marks import key_point_picture
from pack.attention.figures.faces import face_in, own_points
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region, rasterise
from pack.demo.people_by_name import photo_of
from pack.face.identity import with_weights
from pack.nodes.host.faces.face_packs import load_pack
from pack.nodes.layout.control_picture_nodes import KeyPointPicture, PoseCircles
from pack.nodes.layout.layout_nodes import DepthLayout
from pack.tests.host.tiny_adapters import photographed, subject

ADA = Region("Ada", x=0.0, y=0.2, width=0.5, height=0.8, order=1)
BEN = Region("Ben", x=0.4, y=0.2, width=0.5, height=0.8, order=0)


def layout(*regions, pose="auto", poses="", depth=None):
    return DepthLayout.execute(regions, 96, 64, pose, poses, 7.5, 0.85, 0.45, 0.2, depth).args


@pytest.fixture(scope="module")
def engine():
    return load_pack("troupe-demo", "CPU")


@pytest.fixture
def identities():
    """Ada, Dev whose first photo does not count, and a mug."""
    return photographed("Ada", 1), with_weights(photographed("Dev", 2), "0, 1"), subject("mug", 3)


@pytest.fixture(scope="module")
def two_photos():
    """Ada on the left, Dev on the right: [1, 256, 512, 3]."""
    return torch.cat([photo_of("Ada"), photo_of("Dev")], 1)[None]


def test_a_layout_is_a_picture_a_mask_per_region_and_regions_that_do_not_overlap():
    depth, visible, regions = layout(ADA, BEN)

    assert depth.shape == (1, 64, 96, 3)
    assert torch.equal(depth[..., 0], depth[..., 2])
    assert visible.shape == (2, 64, 96)
    assert rasterise(regions, 64, 96).sum(0).max() <= 1 + 1e-5
    assert [region.name for region in regions] == ["Ada", "Ben"]


def test_a_depth_map_goes_through_and_tells_the_order():
    depth = layout(ADA, BEN)[0]
    far_first = (Region("Ada", width=0.5, order=0), Region("Ben", x=0.4, y=0.2, width=0.5, height=0.8, order=0))
    same, visible, regions = layout(*far_first, depth=depth)

    assert same is depth
    assert visible.shape == (2, 64, 96)
    assert [region.order for region in regions] == [1, 0]


def test_poses_are_given_by_name():
    plain, seated = layout(ADA, BEN, pose="standing")[1], layout(ADA, BEN, pose="standing", poses="Ada: sitting")[1]

    assert not torch.equal(plain[0], seated[0])
    assert torch.equal(plain[1], seated[1])


@pytest.mark.parametrize(
    ("regions", "options", "sentence"),
    [
        ((), {}, "there is no region. Draw one"),
        ((ADA,), {"poses": "Ada: flying"}, "'Ada: flying' is no name with a pose"),
        ((ADA,), {"poses": "Zoe: bust"}, "no region 'Zoe'. There are: 'Ada'"),
        ((ADA,), {"depth": torch.zeros(2, 8, 8, 3)}, "a batch of 2 depth maps"),
    ],
)
def test_layouts_that_cannot_be_are_said_in_words(regions, options, sentence):
    with pytest.raises(ValueError, match=f"Troupe, Depth Layout: .*{sentence}"):
        layout(*regions, **options)


def test_circles_are_drawn_on_every_frame_where_the_regions_people_have_their_faces():
    frames = torch.rand(2, 64, 96, 3)
    (marked,) = PoseCircles.execute(frames, "standing", 7.5, 0.4, regions=(ADA, BEN)).args
    changed = (marked != frames).any(-1)

    assert marked.shape == frames.shape
    assert torch.equal(changed[0], changed[1])
    assert 0 < changed[0].float().mean() < 0.05
    assert not changed[0, 32:].any()


def test_key_points_of_a_picture_lie_on_its_faces(engine, two_photos):
    faces = sorted(engine.detect((two_photos[0] * 255).round().byte().numpy()), key=lambda face: face.bbox[0])
    (picture,) = KeyPointPicture.execute(512, 256, "auto", 7.5, 3.0, engine=engine, faces=two_photos).args

    assert picture.shape == (1, 256, 512, 3)
    for face in faces:
        x, y = face.keypoints[2]
        assert picture[0, int(y), int(x)].tolist() == [0, 0, 1]
    assert len(faces) == 2


def test_regions_choose_among_the_faces_of_a_picture(engine, two_photos):
    right, left = Region("Dev", x=0.5, width=0.5), Region("Ada", width=0.5)
    pose = torch.zeros(1, 256, 512, 3)
    (one,) = PoseCircles.execute(pose, "auto", 7.5, 0.2, regions=(right,), engine=engine, faces=two_photos).args
    (both,) = PoseCircles.execute(pose, "auto", 7.5, 0.2, regions=(right, left), engine=engine, faces=two_photos).args

    assert not one[..., :256, :].any()
    assert torch.equal(one[:, :, 256:], both[:, :, 256:])  # the first region is red in both
    assert both[0, :, :256].amax((0, 1)).tolist() == [0.5, 1.0, 0.0]


def test_a_cast_shows_its_members_own_key_points_where_their_regions_faces_are(identities):
    ada, dev, mug = identities
    absent = Member(dev, Region("absent"), strength=0.0)
    cast = (Member(ada, ADA), Member(dev, BEN), Member(mug, Region("mug")), absent)
    (picture,) = KeyPointPicture.execute(192, 128, "bust", 7.5, 2.0, cast=cast).args

    faces = [
        face_in(region, 1.5, "bust", own=own_points(who.boxes[photo], who.keypoints[photo]))
        for region, who, photo in ((ADA, ada, 0), (BEN, dev, 1))
    ]
    assert torch.equal(picture[0], key_point_picture(faces, 128, 192, 2.0))
    (usual,) = KeyPointPicture.execute(192, 128, "bust", 7.5, 2.0, regions=(ADA, BEN)).args
    assert not torch.equal(picture, usual)


def test_with_a_picture_of_faces_a_cast_says_whose_regions_count(engine, two_photos, identities):
    right = Region("Dev", x=0.5, width=0.5)
    given = {"engine": engine, "faces": two_photos}
    (one,) = KeyPointPicture.execute(512, 256, "auto", 7.5, 3.0, cast=(Member(identities[0], right),), **given).args
    (same,) = KeyPointPicture.execute(512, 256, "auto", 7.5, 3.0, regions=(right,), **given).args

    assert torch.equal(one, same)
    assert not one[..., :256, :].any()


def test_a_picture_of_another_shape_gives_its_middle(engine, two_photos):
    (narrow,) = KeyPointPicture.execute(384, 256, "auto", 7.5, 3.0, engine=engine, faces=two_photos).args
    (whole,) = KeyPointPicture.execute(512, 256, "auto", 7.5, 3.0, engine=engine, faces=two_photos).args

    torch.testing.assert_close(narrow, whole[:, :, 64:448], atol=0.1, rtol=0)
    with pytest.raises(
        ValueError, match="512 x 256 pixels lie outside of its middle, and only that fits a shape of 0.1"
    ):
        KeyPointPicture.execute(32, 256, "auto", 7.5, 3.0, engine=engine, faces=two_photos)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "there are no faces. Connect regions"),
        ({"regions": (ADA,), "cast": ()}, "'regions' and 'cast' are both connected"),
        ({"cast": ()}, "nobody in this cast has a face and a strength above 0"),
        ({"faces": torch.zeros(1, 64, 64, 3)}, "'faces' needs 'engine' beside it"),
        ({"engine": True}, "'engine' needs 'faces' beside it"),
        ({"engine": True, "faces": torch.zeros(1, 64, 64, 3)}, "no face was found on the picture"),
        ({"engine": True, "faces": torch.zeros(2, 64, 64, 3)}, "a batch of 2 pictures of faces"),
    ],
)
def test_without_faces_the_node_says_what_to_connect(engine, given, sentence):
    connected = {**given, "engine": engine} if "engine" in given else given

    with pytest.raises(ValueError, match=f"Troupe, Key-Point Picture: .*{sentence}"):
        KeyPointPicture.execute(64, 64, "auto", 7.5, 3.0, **connected)


def test_a_region_without_a_face_is_named(engine, two_photos):
    corner = Region("corner", x=0.0, y=0.0, width=0.02, height=0.02)

    with pytest.raises(ValueError, match="2 faces were found on the picture, but none in region 'corner'"):
        KeyPointPicture.execute(128, 64, "auto", 7.5, 3.0, regions=(corner,), engine=engine, faces=two_photos)
