"""Where faces are: in the regions of people who were not drawn yet, or found on a picture; with key points of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..regions.region import Region, values_at
from .placing import ADULT, POSES, boxed, picture_point, place_in

FIGURES = (*POSES, "face")  # what a region shows: a person in a pose, or the box of a face alone
Points = tuple[tuple[float, float], ...]
FACE = 0.8  # height of a face's box, forehead to chin, in head heights

# Eyes, nose and corners of the mouth of a head seen from the front, in head heights from the crown.
KEY_POINTS = ((-0.145, 0.5), (0.145, 0.5), (0.0, 0.64), (-0.115, 0.78), (0.115, 0.78))


@dataclass(frozen=True)
class FacePlace:
    """A face on a picture, in fractions of its width and height.

    x, y       : its centre
    side       : of the face, in picture heights
    key_points : five (x, y): eyes, nose, corners of the mouth, left before right as seen
    """

    x: float
    y: float
    side: float
    key_points: Points


def face_in(
    region: Region, aspect: float, figure: str = "auto", heads: float = ADULT, own: Points | None = None
) -> FacePlace:
    """The face of the person whom Depth Layout puts into a region, or one that fills the region's height.

    aspect : width of the picture over its height
    figure : one of FIGURES
    heads  : see place_in
    own    : this person's key points from own_points; without them those of a head seen from the front
    """
    region = boxed(region)
    if figure == "face":
        crown = region.height * (1 - 1 / FACE)
        place = replace(place_in(region, aspect, "bust", heads), head=region.height / FACE, crown=crown)
        side = math.sqrt(region.width * aspect * region.height)
    else:
        place = place_in(region, aspect, figure, heads)
        side = FACE * place.head
    middle, unit = 1 - FACE / 2, side / place.head
    in_heads = KEY_POINTS if own is None else [(unit * x, middle + unit * y) for x, y in own]
    points = tuple(picture_point(place, x, y) for x, y in in_heads)
    return FacePlace(*picture_point(place, 0.0, middle), side, points)


def own_points(box: Sequence[float], key_points: Sequence[Sequence[float]]) -> Points | None:
    """Key points of a photographed face from its centre on, in its sides; None for a box without area.

    box, key_points : xyxy and five (x, y), in pixels of the photo
    """
    x, y, side = _middle(box)
    return tuple(((float(px) - x) / side, (float(py) - y) / side) for px, py in key_points) if side else None


def face_found(
    box: Sequence[float], key_points: Sequence[Sequence[float]], height: int, width: int, aspect: float
) -> FacePlace:
    """A face that a detector found: xyxy and five points in pixels of a photo of that size.

    aspect : width over height of the picture that the face is for. Of a photo of another shape its middle is taken, as
             ComfyUI does with the pictures that ControlNets read; the face may then lie outside of it
    """
    across, down = min(width, height * aspect), min(height, width / aspect)
    x, y, side = _middle(box)

    def point(x: float, y: float) -> tuple[float, float]:
        return (float(x) - (width - across) / 2) / across, (float(y) - (height - down) / 2) / down

    return FacePlace(*point(x, y), side / down, tuple(point(*at) for at in key_points))


def _middle(box: Sequence[float]) -> tuple[float, float, float]:
    """Centre and side of an xyxy box."""
    left, top, right, bottom = (float(edge) for edge in box)
    return (left + right) / 2, (top + bottom) / 2, math.sqrt(max(right - left, 0) * max(bottom - top, 0))


def faces_of_regions(regions: Sequence[Region], faces: Sequence[FacePlace], aspect: float) -> list[int]:
    """For each region the largest face whose centre lies in it and that no region before has; -1 without one.

    Regions that hold fewer faces choose first.
    """
    held = [[index for index, face in enumerate(faces) if _holds(region, face, aspect)] for region in regions]
    chosen = [-1] * len(regions)
    for index in sorted(range(len(regions)), key=lambda index: len(held[index])):
        free = [face for face in held[index] if face not in chosen]
        chosen[index] = max(free, key=lambda face: faces[face].side, default=-1)
    return chosen


def _holds(region: Region, face: FacePlace, aspect: float) -> bool:
    at = (torch.tensor([value], dtype=torch.float64) for value in (face.y, face.x))
    return bool(values_at(region, *at, aspect)[0, 0] >= 0.5)


def pixels(face: FacePlace, height: int, width: int) -> tuple[Tensor, Tensor, float]:
    """Centre [2], key points [5, 2] as x, y and the side, in pixels of a picture."""
    size = torch.tensor([width, height], dtype=torch.float32)
    return torch.tensor([face.x, face.y]) * size, torch.tensor(face.key_points) * size, face.side * height
