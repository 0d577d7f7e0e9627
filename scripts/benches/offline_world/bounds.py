"""What each form of the offline world should reach, and how many samples a verdict on it needs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bounds:
    """Lowest values, but for `false_faces`, the most per scene, and `everywhere`, a lowest and a highest one.

    counted : people counted right where that many are prompted
    in_region, in_order : of people placed with Depth Layout, and of pairs of them that overlap
    """

    rank_one: float
    recall: float
    false_faces: float
    reader: float
    prompted: float
    counted: dict[int, float]
    one_person: float
    right_place: float
    own_share: float
    everywhere: tuple[float, float] = (0.40, 0.60)
    in_region: float = 0.85
    in_order: float = 0.75


SMALL = Bounds(0.97, 0.95, 0.1, 0.9, 0.8, {1: 0.9, 2: 0.85, 4: 0.7}, 0.40, 0.85, 0.7)
LARGE = Bounds(0.99, 0.98, 0.05, 0.95, 0.9, {1: 0.95, 2: 0.95, 4: 0.85}, 0.60, 0.95, 0.85, in_region=0.95, in_order=0.9)


def form_in(weights: Path) -> str:
    """Which form the weights in a folder are of: 128, 256, or smoke for weights that prove the code alone."""
    return json.loads((weights / "world.json").read_text(encoding="utf-8"))["form"]


def bounds_of(form: str) -> Bounds:
    """The bounds of a form; every form but the large one is held to those of the small one."""
    return LARGE if form == "256" else SMALL


def enough_for(bound: float) -> int:
    """How many samples a share needs before it may hold `bound`.

    When all of n succeed, the true share is above 1 - 3 / n with 95 % confidence (rule of three, Hanley and
    Lippman-Hand 1983); a bootstrap cannot say so, because it sees no spread.
    """
    return max(10, math.ceil(3 / (1 - bound) - 1e-9))
