"""Members of a cast with prompts of their own, and what each of them shows in their place of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ....attention.recipes.cast import Member
from ....attention.recipes.recipe import Recipe
from ....attention.regions.region import rasterise
from ....demo.scenes import EXPRESSIONS, LOOKS, SHIRTS
from ....measure.likeness import inside
from .drawing import Host, Mode, strips
from .people import Target
from .reading import Read, Reader

WORDS = {"shirt": SHIRTS, "expression": EXPRESSIONS, "look": LOOKS}
PHOTO = 128  # pixels along a side of an encoded reference: the demo world's own, half of what real models get


@dataclass(frozen=True)
class Way:
    """A recipe, and the strengths it may be at its best with.

    refined : whether the faces of its pictures are redrawn in close-up afterwards (`refined.refined`)
    """

    name: str
    recipe: Recipe
    strengths: tuple[float, ...]
    refined: bool = False

    @property
    def alone(self) -> bool:
        """Whether pictures are drawn one by one.

        A batch has one cast, whose people may take turns from picture to picture (`Host.with_casts`); a member's
        prompt and photos are the same in all of its pictures.
        """
        return self.recipe.prompts or self.recipe.references.odds > 0


def clauses(target: Target) -> list[str]:
    """What the prompt says of each person, from left to right, such as "red smiling left"."""
    return target.prompt.split(", ")[1:]


def own_prompts(target: Target) -> list[str]:
    """Each person's own prompt: the same number of people in the same place, all of whom look like this one.

    A prompt of one person alone asks for somebody as large as the picture: of five people few were left.
    """
    head, found = target.prompt.split(", ")[0], clauses(target)
    return [", ".join([head] + [clause] * len(found)) for clause in found]


def pictures_of(host: Host, batch: Sequence[Target], way: Way | None, strength: float, seed: int) -> list[np.ndarray]:
    """Pictures of targets with as many people each, uint8 [S, S, 3]; without a way, of the unpatched model.

    Whether drawn one by one or together, a picture of a batch has the same noise.
    """
    prompts = [target.prompt for target in batch]
    depth = torch.stack([target.depth for target in batch]) if len(batch[0].cast) > 1 else None
    size = batch[0].depth.shape[-1]
    if way is None or not way.alone:
        mode = way and Mode(way.name, way.recipe, way.strengths)
        model = host.with_casts([target.cast for target in batch], mode, strength) if mode else host.model
        return host.pictures(model, prompts, size, seed, depth)
    pictures = []
    for place, target in enumerate(batch):
        model = host.with_members(members_of(host, target), with_small_photos(way.recipe), strength)
        own_depth = depth[place : place + 1] if depth is not None else None
        pictures += host.pictures(model, [target.prompt], size, seed, own_depth, place)
    return pictures


def members_of(host: Host, target: Target) -> list[Member]:
    """The cast of a target in equal strips, each with a prompt of their own."""
    trios = zip(target.cast, strips(len(target.cast)), own_prompts(target), strict=True)
    return [Member(who, strip, prompt=host.conditioning([prompt])) for who, strip, prompt in trios]


def with_small_photos(recipe: Recipe) -> Recipe:
    """The recipe with reference photos as large as the demo world's pictures."""
    return replace(recipe, references=replace(recipe.references, size=PHOTO))


def shown(reader: Reader, picture: np.ndarray, boxes: np.ndarray, people: int) -> list[Read | None]:
    """What the largest face in each person's strip shows; None for a strip without a face.

    picture : uint8 [S, S, 3]
    boxes   : [F, 4] of the faces found on the whole picture, xyxy pixels
    """
    read = reader.read(picture, boxes)
    places = inside(boxes, rasterise(strips(people), *picture.shape[:2]).numpy() >= 0.5)
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    found: list[Read | None] = []
    for place in range(people):
        there = np.flatnonzero(places[:, place])
        found.append(read[there[sizes[there].argmax()]] if len(there) else None)
    return found


def seen_as_prompted(target: Target, found: Sequence[Read | None]) -> dict[str, float]:
    """The share of members who show the prompted shirt, expression and look, by part and over all three.

    A member without a face shows nothing.
    """
    hits = {part: np.mean([_shows(read, part, own) for read, own in _pairs(target, found)]) for part in WORDS}
    return {**{part: float(hit) for part, hit in hits.items()}, "prompted": float(np.mean(list(hits.values())))}


def prompt_margin(target: Target, found: Sequence[Read | None]) -> float | None:
    """The share of members who show their own prompt's words less the share who show those of the others.

    Only words in which a member's prompt differs from another's count: all in their own make 1, all in another's
    less, and words dealt out at random among two people 0. None where no two prompts differ.
    """
    differences = []
    for index, (read, own) in enumerate(_pairs(target, found)):
        for part in WORDS:
            others = [other for at, other in enumerate(clauses(target)) if at != index]
            unlike = [other for other in others if _wanted(other, part) != _wanted(own, part)]
            if unlike:
                mixed = np.mean([_shows(read, part, other) for other in unlike])
                differences.append(_shows(read, part, own) - mixed)
    return float(np.mean(differences)) if differences else None


def _pairs(target: Target, found: Sequence[Read | None]) -> list[tuple[Read | None, str]]:
    return list(zip(found, clauses(target), strict=True))


def _wanted(clause: str, part: str) -> int:
    return WORDS[part].index(clause.split()[list(WORDS).index(part)])


def _shows(read: Read | None, part: str, clause: str) -> bool:
    return read is not None and getattr(read, part) == _wanted(clause, part)
