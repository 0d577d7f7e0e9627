"""Regions as a user might draw them for a few people, and pictures of unseen people in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ....attention.figures.depth_layout import DepthLayout, Look, draw_layout
from ....attention.regions.region import Region
from ....demo.renderer import render
from ....demo.scenes import SHIRTS, random_scenes
from ....face.engine import FaceEngine
from .drawing import DECOUPLED, Host
from .people import Target, as_picture, generator_of, targets

# How people of the offline world are built (demo/geometry.py, demo/person.py), in half heights of a head.
TALL, BROAD, CROWN = 6.4, 2.6, 1.05
HEADS = TALL / 2
USUAL = {2: 0.195, 3: 0.15, 4: 0.122}  # half the height of a head, by how many people there are
APART = 0.67  # least distance of neighbours, in widths of a body
RECIPE = replace(DECOUPLED.recipe, compositor="depth")
TRIES = 10_000


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture to be drawn: who, in what, and where; with the depth map that Depth Layout makes of it."""

    target: Target
    regions: tuple[Region, ...]
    layout: DepthLayout

    @property
    def shirts(self) -> list[str]:
        """The prompted shirts, from left to right."""
        return [word for word in self.target.prompt.replace(",", " ").split() if word in SHIRTS]


def placed_people(people: int, count: int, seed: int, engine: FaceEngine, size: int) -> list[Placed]:
    """`count` pictures of `people` unseen people each, in regions of random place, size and depth."""
    generator = generator_of(seed + 1)
    found = []
    for target in targets(people, count, seed, engine, size):
        regions = random_regions(people, generator)
        found.append(Placed(target, regions, draw_layout(regions, size, size, Look("standing", heads=HEADS))))
    return found


def random_regions(people: int, generator: torch.Generator) -> tuple[Region, ...]:
    """Boxes around whole people, from left to right; feet may lie below the picture.

    Anywhere across the picture as long as no face hides another, two neighbours side by side so that their bodies
    overlap; larger people are nearer, as in perspective.
    """
    for _ in range(TRIES):
        spread = torch.rand(3, people, generator=generator)
        half = USUAL[people] * (0.8 + 0.35 * spread[0])
        centres = (half * 0.8 + (1 - 1.6 * half) * spread[1]).sort().values
        least = APART * BROAD * torch.maximum(half[1:], half[:-1])
        if ((centres[1:] - centres[:-1]) >= least).all():
            break
    else:
        raise RuntimeError(f"{people} people do not fit beside each other in {TRIES} tries.")
    pair = int(torch.randint(0, people - 1, (), generator=generator))
    closer = (centres[pair + 1] - centres[pair] - least[pair]) * (0.9 + 0.1 * float(spread[2, 0]))
    centres[pair + 1 :] -= closer  # those to the right move along, so that no gap but this one changes
    middles = 0.30 + 0.10 / people + 0.16 * spread[2]
    ranks = (-half).argsort().argsort().tolist()
    rows = zip(half.tolist(), centres.tolist(), middles.tolist(), ranks, strict=True)
    return tuple(
        Region(f"{i + 1}", x=x - BROAD * s / 2, y=y - CROWN * s, width=BROAD * s, height=TALL * s, order=rank)
        for i, (s, x, y, rank) in enumerate(rows)
    )


def picture_of(host: Host, placed: Placed, strength: float, seed: int, size: int, with_layout: bool) -> np.ndarray:
    """Apply Cast with the regions alone, or with Depth Layout's regions and its depth map in the ControlNet."""
    from ....attention.recipes.cast import Member
    from ....nodes.host.cast.model_patch import patch_cast

    regions: Sequence[Region] = placed.layout.regions if with_layout else placed.regions
    cast = tuple(Member(who, region) for who, region in zip(placed.target.cast, regions, strict=True))
    model = patch_cast(host.model, cast, host.adapter, RECIPE, strength)
    depth = placed.layout.depth[None, None] if with_layout else None
    return host.pictures(model, [placed.target.prompt], size, seed, depth)[0]


def rendered_picture(placed: Placed, seed: int, size: int) -> np.ndarray:
    """Others of the world, rendered as placed and in the prompted shirts: what every judge should find right."""
    people = len(placed.regions)
    scene = random_scenes(1, people, generator_of(seed), props=0.0)
    place = [(r.x + r.width / 2, r.y + CROWN * r.height / TALL, r.height / TALL) for r in placed.regions]
    scene = replace(
        scene,
        place=torch.tensor([place]),
        depth=torch.tensor([[1 - region.order / people for region in placed.regions]]),
        shirt=torch.tensor([[SHIRTS.index(shirt) for shirt in placed.shirts]]),
    )
    return as_picture(render(scene, size).picture[0])
