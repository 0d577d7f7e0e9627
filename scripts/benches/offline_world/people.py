"""People nobody was trained on, scenes for them, and photos of them that differ from the picture they are put into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ....demo.captions import caption_words
from ....demo.people import new_identities
from ....demo.renderer import render
from ....demo.scenes import Scene, photos, random_scenes
from ....face.engine import FaceEngine, NoFaceFound
from ....face.extraction import extract_identity
from ....face.identity import Identity

PHOTO = 256  # pixels along a side of a reference, as Demo Photo gives them
LEAST_ZOOM = 0.05  # how much a face's size must differ between photo and scene
TRIES = 200


@dataclass(frozen=True, eq=False)
class Target:
    """A picture to be drawn: who is to be in it from left to right, and in what.

    prompt  : how many people, where, and each one's shirt, expression and look
    cast    : the identities, with their photos, uint8 [256, 256, 3] each
    depth   : [1, S, S] of a scene in which other people stand as prompted
    """

    prompt: str
    cast: tuple[Identity, ...]
    photos: tuple[np.ndarray, ...]
    depth: Tensor


def generator_of(seed: int) -> torch.Generator:
    """Random numbers of the CPU, the same everywhere."""
    return torch.Generator().manual_seed(seed)


def prompt_of(scene: Scene, row: int) -> str:
    """The whole caption of a scene as a prompt."""
    return " ".join(caption_words(scene, row)).replace(" ,", ",")


def as_picture(image: Tensor) -> np.ndarray:
    """[3, H, W] in 0..1 to uint8 [H, W, 3]."""
    return (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def targets(
    figures: int,
    count: int,
    seed: int,
    engine: FaceEngine,
    size: int,
    who: Tensor | None = None,
    names: Sequence[str] | None = None,
) -> list[Target]:
    """`count` targets with `figures` people each.

    engine : finds the faces on the references, as Extract Identity does
    size   : pixels along a side of the depth maps
    who    : [count, figures, 24] and `names`, count * figures of them, to draw given people
    """
    generator = generator_of(seed)
    scene = random_scenes(count, figures, generator, props=0.0)
    if who is None:
        who = new_identities(count * figures, generator).view(count, figures, -1)
    found = []
    for row in range(count):
        cast, pictures = [], []
        for figure in range(figures):
            name = names[row * figures + figure] if names else f"person {figure + 1}"
            picture, identity = _reference(who[row, figure], name, scene[row : row + 1], figure, generator, engine)
            cast.append(identity)
            pictures.append(picture)
        depth = render(scene[row : row + 1], size).depth[0]
        found.append(Target(prompt_of(scene, row), tuple(cast), tuple(pictures), depth))
    return found


def _reference(
    who: Tensor, name: str, scene: Scene, figure: int, generator: torch.Generator, engine: FaceEngine
) -> tuple[np.ndarray, Identity]:
    """A photo that differs from the scene's figure, and the identity in it; photos without a face are thrown away."""
    for _ in range(TRIES):
        photo = photos(who[None], generator)
        if not differs(photo, scene, figure):
            continue
        picture = as_picture(render(photo, PHOTO).picture[0])
        try:
            return picture, extract_identity(engine, [picture], name).identity
        except NoFaceFound:
            continue
    raise RuntimeError(f"The detector found no face on any of {TRIES} photos of {name}. Train the stage 'detector'.")


def differs(photo: Scene, scene: Scene, figure: int) -> bool:
    """Whether a photo (one scene of one person) shows another expression, pose, shirt, background and size."""
    facts = [(photo.background[0], scene.background[0])]
    facts += [(getattr(photo, f)[0, 0], getattr(scene, f)[0, figure]) for f in ("expression", "look", "shirt")]
    size, other = photo.place[0, 0, 2], scene.place[0, figure, 2]
    return all(a != b for a, b in facts) and abs(float(size / other) - 1) > LEAST_ZOOM
