"""Where faces are: in the regions of people who were not drawn yet, or found on a picture; with key points of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .figure_places import ADULT, POSES, boxed, picture_point, place_in
from .regions import Region, values_at

FIGURES = (*POSES, "face")  # what a region shows: a person in a pose, or the box of a face alone
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
    key_points: tuple[tuple[float, float], ...]


def face_in(region: Region, aspect: float, figure: str = "auto", heads: float = ADULT) -> FacePlace:
    """The face of the person whom Depth Layout puts into a region, or one that fills the region's height.

    aspect : width of the picture over its height
    figure : one of FIGURES
    heads  : see place_in
    """
    region = boxed(region)
    if figure == "face":
        crown = region.height * (1 - 1 / FACE)
        place = replace(place_in(region, aspect, "bust", heads), head=region.height / FACE, crown=crown)
        side = math.sqrt(region.width * aspect * region.height)
    else:
        place = place_in(region, aspect, figure, heads)
        side = FACE * place.head
    points = tuple(picture_point(place, x, y) for x, y in KEY_POINTS)
    return FacePlace(*picture_point(place, 0.0, 1 - FACE / 2), side, points)


def face_found(box: Sequence[float], key_points: Sequence[Sequence[float]], height: int, width: int) -> FacePlace:
    """A face that a detector found: xyxy and five points in pixels of a picture of that size."""
    left, top, right, bottom = (float(edge) for edge in box)
    return FacePlace(
        x=(left + right) / 2 / width,
        y=(top + bottom) / 2 / height,
        side=math.sqrt(max(right - left, 0) * max(bottom - top, 0)) / height,
        key_points=tuple((float(x) / width, float(y) / height) for x, y in key_points),
    )


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
