"""The square around a face."""

import numpy as np
from pack.face.cut_out import FACE, FIGURE, cut_out, part_of, whole


def test_a_photo_is_cut_out_around_its_face():
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[20:30, 70:80] = 255

    cut, face = cut_out(picture, (70, 20, 80, 30), 40)

    assert cut.shape == (40, 40, 3)
    assert cut[20, 20].min() == 255
    assert cut[:, :8].max() < 5
    assert face[20, 20]
    assert not face[1, 1]
    whole, everywhere = cut_out(picture, None, 40)
    assert whole.shape == (40, 40, 3)
    assert everywhere.all()


def test_a_figure_is_a_head_with_its_hair_and_what_is_below_as_wide_as_shoulders():
    box = (90, 40, 110, 60)
    cut = whole(np.zeros((200, 200, 3), np.uint8), box, 160)

    face, figure = part_of(cut, FACE), part_of(cut, FIGURE)

    assert cut.box.tolist() == [72, 32, 88, 48]
    assert face[32:48, 72:88].mean() > 0.9
    assert not face[:24].any()
    assert figure[20, 65:95].all()
    assert not figure[20, :60].any()
    assert figure[150, 50:110].all()
    assert not figure[150, :40].any()
    assert not (face & ~figure).any()


def test_without_a_box_every_part_is_everywhere():
    assert part_of(whole(np.zeros((40, 60, 3), np.uint8), None, 48), FIGURE).all()
