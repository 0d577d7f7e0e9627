"""The face as PuLID's encoder sees it: at the published key points, grey inside of the ellipse, white outside."""

import numpy as np
import pytest
from pack.face.alignment import TEMPLATE_112
from pack.face.grey_portrait import FFHQ_512, SIDE, grey_portrait
from pack.face.identity import Identity
from pack.face.photo_crops import crops_of

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def marked(points, size=(300, 400)):
    """A photo of mid-grey with a dark square around each point."""
    photo = np.full((*size, 3), 160, np.uint8)
    for x, y in np.rint(points).astype(int):
        photo[y - 4 : y + 5, x - 4 : x + 5] = 20
    return photo


@pytest.mark.parametrize("turn", [np.eye(2), TURN, -np.eye(2)], ids=["upright", "on its side", "upside down"])
def test_key_points_come_to_lie_where_the_published_template_has_them(turn):
    points = (FFHQ_512 - FFHQ_512.mean(0)) @ turn.T * 0.5 + [200, 150]

    crop = grey_portrait(marked(points), points)

    assert crop.shape == (SIDE, SIDE, 3)
    for x, y in np.rint(FFHQ_512).astype(int):
        assert crop[y, x, 0] < 40
    assert crop[260, 256, 0] == 160  # between the eyes and the nose


def test_it_is_grey_by_the_weights_of_brightness():
    photo = np.full((512, 512, 3), (200, 100, 50), np.uint8)

    crop = grey_portrait(photo, FFHQ_512)

    assert crop[262, 256].tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)] * 3


def test_white_surrounds_an_ellipse_from_above_the_forehead_to_the_chin():
    crop = grey_portrait(np.zeros((512, 512, 3), np.uint8), FFHQ_512)[..., 0]

    assert set(np.unique(crop)) == {0, 255}
    rows, columns = np.nonzero(crop == 0)
    assert (rows.min(), rows.max()) == (48, 475)
    assert (columns.min(), columns.max()) == (104, 407)
    assert crop[0].all()
    assert crop[100, 110]
    inside = np.rint(FFHQ_512).astype(int)
    assert not crop[inside[:, 1], inside[:, 0]].any()


def test_where_the_photo_ends_it_is_white():
    photo = np.zeros((200, 512, 3), np.uint8)

    assert grey_portrait(photo, FFHQ_512)[250, 256, 0] == 255


def test_an_identity_without_photos_is_cut_from_its_aligned_crop():
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    empty = Identity("Ada", {}, crops, np.zeros((2, 5, 2), np.float32), np.zeros((2, 4), np.float32))

    first, second = crops_of(empty, "portrait", SIDE, "pulid")

    assert np.array_equal(first, grey_portrait(crops[0], TEMPLATE_112))
    assert not np.array_equal(first, second)


def test_each_photo_is_cut_at_its_own_key_points():
    photos = tuple(np.random.default_rng(n).integers(0, 256, (200, 200, 3), dtype=np.uint8) for n in (1, 2))
    points = np.stack([FFHQ_512 / 4, FFHQ_512 / 3 + 10]).astype(np.float32)
    both = Identity("Ada", {}, np.zeros((2, 112, 112, 3), np.uint8), points, np.zeros((2, 4), np.float32), photos)

    found = crops_of(both, "portrait", SIDE, "pulid")

    for crop, photo, own in zip(found, photos, points, strict=True):
        assert np.array_equal(crop, grey_portrait(photo, own))
