"""The square around a face."""

import numpy as np
from pack.face.cut_out import cut_out


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
