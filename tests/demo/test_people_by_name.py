"""The named people stay who they are: workflows, pictures in the documentation and figures depend on it."""

import pytest
import torch
import torch.nn.functional as F
from pack.demo.people_by_name import NAMES, identity_named, photo_of
from pack.demo.train.corpus import training_identities

FIRST_NUMBERS = {"Ada": (0.7472, 0.3166, 0.5735, 0.6699), "Hugo": (0.2853, 0.3273, 0.5875, 0.9984)}
# Ada's photo as nine mean colours, 0..255.
ADA = [
    [[131, 159, 120], [108, 131, 91], [228, 225, 225]],
    [[181, 174, 188], [149, 112, 153], [215, 201, 216]],
    [[211, 188, 224], [174, 100, 190], [115, 58, 144]],
]


@pytest.mark.parametrize(("name", "numbers"), FIRST_NUMBERS.items())
def test_a_name_is_always_the_same_person(name, numbers):
    torch.testing.assert_close(identity_named(name)[:4], torch.tensor(numbers), atol=5e-5, rtol=0)


def test_a_photo_is_always_the_same():
    mean_colours = F.adaptive_avg_pool2d(photo_of("Ada").permute(2, 0, 1), 3) * 255

    torch.testing.assert_close(mean_colours, torch.tensor(ADA, dtype=torch.float32), atol=1.0, rtol=0)


def test_photos_of_one_person_differ_and_so_do_people():
    photos = [photo_of("Ada", 64), photo_of("Ada", 64, number=1), photo_of("Ben", 64)]

    for i, one in enumerate(photos):
        assert one.shape == (64, 64, 3)
        assert one.min() >= 0
        assert one.max() <= 1
        assert all((one - other).abs().mean() > 0.02 for other in photos[:i])


def test_nobody_with_a_name_was_trained_on():
    named = torch.stack([identity_named(name) for name in NAMES])

    apart = torch.cdist(named, training_identities())

    assert apart.min() > 0.3
    assert torch.cdist(named, named)[~torch.eye(len(NAMES), dtype=bool)].min() > 0.8
