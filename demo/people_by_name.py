"""The people of the offline world that have names: never trained on, each with as many photos as one likes."""

import hashlib

import torch
from torch import Tensor

from .people import new_identities
from .renderer import render
from .scenes import Scene, photos

NAMES = ("Ada", "Ben", "Cleo", "Dev", "Eva", "Finn", "Gia", "Hugo")


def identity_named(name: str) -> Tensor:
    """The numbers that make this person: [24], a column for each name in `people.FIELDS`."""
    return new_identities(1, torch.Generator().manual_seed(_seed(name)))[0]


def scene_of(name: str, number: int = 0) -> Scene:
    """The scene of a photo, a batch of one. Pose, expression, shirt, place and size go by `number`."""
    generator = torch.Generator().manual_seed(_seed(f"{name} {number}"))
    return photos(identity_named(name)[None], generator)


def photo_of(name: str, size: int = 256, number: int = 0) -> Tensor:
    """A photo: [size, size, 3] in 0..1. The same name and number always give the same one."""
    return render(scene_of(name, number), size).picture[0].permute(1, 2, 0)


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"troupe demo {text}".encode()).digest()[:4], "big")
