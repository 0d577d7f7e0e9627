"""Sample pictures of the offline world, the first ones of fixed seeds: what is drawn, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ...demo.people_by_name import NAMES, identity_named
from ...demo.scenes import MOST, random_scenes
from ..benches.offline_world.company import pictures_of, score
from ..benches.offline_world.drawing import DECOUPLED
from ..benches.offline_world.people import generator_of, prompt_of, targets
from ..benches.offline_world.prompted import seen_in
from ..benches.offline_world.workbench import Workbench
from .sample_sheets import Card

SEED = 7_600_001
# For each number of people, who is drawn together.
CASTS = {
    1: [(name,) for name in NAMES[:6]],
    2: [("Ada", "Ben"), ("Cleo", "Dev"), ("Eva", "Finn"), ("Gia", "Hugo")],
    3: [("Ada", "Dev", "Gia"), ("Ben", "Eva", "Hugo"), ("Cleo", "Finn", "Ada")],
}


def scene_cards(bench: Workbench) -> list[Card]:
    """A picture of one to six people each, from a prompt alone."""
    cards = []
    for people in range(1, MOST + 1):
        scene = random_scenes(1, people, generator_of(SEED + people), props=0.0)
        prompt = prompt_of(scene, 0)
        (picture,) = bench.host.pictures(bench.host.model, [prompt], bench.size, SEED + people)
        seen = seen_in(bench, picture, scene, 0)
        right = ", ".join(f"{part} {share(seen[part], people)}" for part in ("shirt", "expression", "look"))
        counted = "counted right" if seen["counted"] else "counted wrong"
        cards.append(Card([("", picture)], [prompt, f"seen: {right}; {counted}"]))
    return cards


def cast_cards(bench: Workbench, people: int, strength: float) -> list[Card]:
    """References and the picture drawn of them; two people and more stand in strips, as a depth map has it."""
    casts = CASTS[people]
    names = [name for cast in casts for name in cast]
    who = torch.stack([identity_named(name) for name in names]).view(len(casts), people, -1)
    cards = []
    for number, target in enumerate(
        targets(people, len(casts), SEED + 10 * people, bench.engine, bench.size, who, names)
    ):
        (picture,) = pictures_of(bench, [target], DECOUPLED, strength, SEED + 10 * people + number)
        result = score(bench.scorer, picture, target)
        likeness = ", ".join(f"{who.name} {own:.2f}" for who, own in zip(target.cast, result.own, strict=True))
        lines = [target.prompt, f"similarity: {likeness}"]
        if people > 1:
            lines.append(f"in the right place: {int(result.right_place.sum())} of {people}")
        pictures = [(who.name, photo) for who, photo in zip(target.cast, target.photos, strict=True)]
        cards.append(Card([*pictures, ("drawn", picture)], lines))
    return cards


def sheets(bench: Workbench, strengths: dict[int, float]) -> list[tuple[str, str, int, Callable[[], Sequence[Card]]]]:
    """File name, what it shows, columns, and how its cards are made; `strengths` by the number of people."""
    words = {1: "One person each", 2: "Two people in halves", 3: "Three people in thirds"}
    of_casts = [
        (
            f"{name}.jpg",
            f"{words[people]}: photos, then the picture drawn of them (strength {strengths[people]:g})",
            columns,
            lambda people=people: cast_cards(bench, people, strengths[people]),
        )
        for people, name, columns in ((1, "one-person", 3), (2, "two-people", 2), (3, "three-people", 1))
    ]
    return [("scenes.jpg", "One to six people from a prompt alone", 3, lambda: scene_cards(bench)), *of_casts]


def share(part: float, people: int) -> str:
    """Such as 2/3."""
    return f"{round(part * people)}/{people}"
