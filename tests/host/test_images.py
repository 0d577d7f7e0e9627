"""The host's pictures to the rooms' pictures and back."""

import numpy as np
import pytest
import torch
from pack.nodes.host.images import to_images, to_pictures


def test_pictures_survive_the_way_in_and_out():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)

    assert np.array_equal(to_pictures(to_images([picture]))[0], picture)


def test_pictures_of_every_channel_count_become_rgb():
    grey = torch.tensor([0.0, 0.5, 1.0, float("nan"), 7.0]).view(1, 1, 5, 1)

    (pixels,) = to_pictures(grey)
    (cut_out,) = to_pictures(
        torch.cat([grey.expand(1, 1, 5, 3), torch.tensor([1.0, 1, 0, 0, 0.5]).view(1, 1, 5, 1)], -1)
    )

    assert pixels.shape == (1, 5, 3)
    assert pixels[0, :, 0].tolist() == [0, 128, 255, 0, 255]
    assert cut_out[0, :, 1].tolist() == [0, 128, 255, 255, 255]
    assert to_pictures(grey[0])[0].shape == (1, 5, 3)


@pytest.mark.parametrize("shape", [(2, 5), (1, 4, 4, 5), (1, 0, 4, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ValueError, match=r"Troupe: a picture has the shape"):
        to_pictures(torch.zeros(shape))
