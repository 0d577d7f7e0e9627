"""Nobody in particular, standing or sitting: how thick a person's body is at each point, seen from the front.

Everything is in head heights, x to the right of the middle and y down from the crown. A body is a union of round
parts; it is there where its thickness is above 0. Heights of the parts follow the canon of figure drawing (shoulders
a third of a head below the chin, crotch at half the height), scaled below the chin for people of other proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

HEAD = (0.5, 0.38, 0.42)  # half height of the head, its half width on an adult and on the stoutest
NECK = 0.21  # half width
DROOP = 0.1  # how much lower the stoutest one's arms begin
SEATED = 0.76  # height of a sitting person's crown above the floor, as a part of their standing height

# Parts below the chin: heights in parts of the way from the chin to the floor, widths in half shoulder widths.
# A torso's are given for an adult and for the stoutest.
TORSO = (
    (0.015, 0.0, 0.0),
    (0.05, 0.5, 0.44),
    (0.075, 0.8, 0.62),
    (0.115, 0.9, 0.78),
    (0.2, 0.74, 0.94),
    (0.3, 0.62, 0.98),
    (0.4, 0.7, 0.98),
    (0.48, 0.68, 0.9),
)
ARM = ((0.79, 0.115, 0.17), (0.88, 0.29, 0.12), (0.89, 0.5, 0.09))
LEG = ((0.36, 0.45, 0.34), (0.34, 0.72, 0.2), (0.32, 0.95, 0.12))
FOOT = ((0.33, 0.97, 0.11), (0.42, 0.985, 0.1))
SEATED_ARM = ((0.79, 0.115, 0.17), (0.9, 0.28, 0.13), (0.58, 0.43, 0.1))
SEATED_THIGH = ((0.36, 0.44, 0.32), (0.52, 0.5, 0.28))

Joint = tuple[float, float, float]


@dataclass(frozen=True)
class Build:
    """How a person is built.

    heads     : standing height in head heights; 7.5 is an adult, 3 a cartoon figure
    shoulders : half the width over the shoulders and arms, in head heights
    """

    heads: float
    shoulders: float

    @property
    def stout(self) -> float:
        """From 0 for an adult to 1 for small children and cartoon figures, who have no waist and thick limbs."""
        return min(max((7.5 - self.heads) / 4.0, 0.0), 1.0)


def usual_shoulders(heads: float) -> float:
    """Half the shoulder width that goes with a height: from 0.64 at 3.2 heads to 0.98 at 7.5."""
    return 0.64 + 0.079 * (heads - 3.2)


def thickness(build: Build, x: Tensor, y: Tensor, seated: bool = False) -> Tensor:
    """Half the body's thickness at points, in head heights; 0 beside it.

    x, y : [H, W] in head heights from the crown
    """
    half_height, slim, stout = HEAD
    parts = [_ellipse(x, y - half_height, slim + (stout - slim) * build.stout, half_height), _torso(build, x, y)]
    (shoulder_x, shoulder_y, round_), *below = SEATED_ARM if seated else ARM
    arm = ((shoulder_x, shoulder_y + DROOP * build.stout, round_), *below)
    parts += [_limb(build, x, y, line) for line in ((arm, SEATED_THIGH) if seated else (arm, LEG, FOOT))]
    if seated:
        parts += [_limb(build, x, y, line, SEATED * build.heads) for line in _shin_and_foot(build)]
    return torch.stack(parts).amax(0)


def _shin_and_foot(build: Build) -> tuple[tuple[Joint, ...], ...]:
    """From the knees of a sitting person to the floor; heights count from the chin to that person's floor."""
    knee = 0.5 * (build.heads - 1) / (SEATED * build.heads - 1)
    return ((0.52, knee, 0.26), (0.46, 0.94, 0.13)), ((0.46, 0.95, 0.12), (0.54, 0.98, 0.11))


def _ellipse(x: Tensor, y: Tensor, width: float, height: float) -> Tensor:
    """An ellipsoid as thick as it is wide."""
    return width * (1 - (x / width) ** 2 - (y / height) ** 2).clamp(min=0).sqrt()


def _torso(build: Build, x: Tensor, y: Tensor) -> Tensor:
    """Neck, shoulders, waist and hips: a body of revolution, flattened to about half its depth."""
    at = [0.8, *(1 + height * (build.heads - 1) for height, *_ in TORSO)]
    widths = [slim + (stout - slim) * build.stout for _, slim, stout in TORSO]
    half = [NECK, NECK, *(width * build.shoulders for width in widths[1:])]
    inside = (y >= at[0]) & (y <= at[-1])
    width = _smooth(y.clamp(at[0], at[-1]), y.new_tensor(at), y.new_tensor(half))
    return 0.55 * (width**2 - x**2).clamp(min=0).sqrt() * inside


def _smooth(at: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """A smooth curve through values at rising knots (cubic Hermite; slopes from neighbours, level at both ends)."""
    slopes = torch.zeros_like(values)
    slopes[1:-1] = (values[2:] - values[:-2]) / (knots[2:] - knots[:-2])
    right = torch.searchsorted(knots, at.contiguous()).clamp(1, len(knots) - 1)
    left, step = right - 1, knots[right] - knots[right - 1]
    t = (at - knots[left]) / step
    rise = t * t * (3 - 2 * t)
    bend = step * t * (1 - t) * (slopes[left] * (1 - t) - slopes[right] * t)
    return values[left] + (values[right] - values[left]) * rise + bend


def _limb(build: Build, x: Tensor, y: Tensor, joints: tuple[Joint, ...], floor: float | None = None) -> Tensor:
    """Both limbs of a pair, by symmetry: round bones from joint to joint, each joint with a radius of its own."""
    down = (floor or build.heads) - 1
    s, side = build.shoulders, x.abs()
    # The sole of a foot is on the floor, so heights and radii of the last joints never reach below it.
    points = [(px * s, min(1 + py * down, 1 + down - r * s), r * s) for px, py, r in joints]
    bones = [bone(side, y, one, other) for one, other in pairwise(points)]
    return torch.stack(bones).amax(0)


def bone(x: Tensor, y: Tensor, one: Joint, other: Joint) -> Tensor:
    """A round bone whose radius goes evenly from one end to the other."""
    across, down = other[0] - one[0], other[1] - one[1]
    along = (((x - one[0]) * across + (y - one[1]) * down) / max(across**2 + down**2, 1e-9)).clamp(0, 1)
    squared = (x - one[0] - along * across) ** 2 + (y - one[1] - along * down) ** 2
    return ((one[2] + (other[2] - one[2]) * along) ** 2 - squared).clamp(min=0).sqrt()
