"""Marks on control pictures: InstantFamily's circles at face centres, and InstantID's sticks between key points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..regions.region import mean_of_samples, sample_points
from .bodies import bone
from .faces import FacePlace, pixels

# Four hues as far from each other as hues are, cycled; neither colours nor radius are published (arXiv 2404.19427).
CIRCLES = ((1.0, 0.0, 0.0), (0.5, 1.0, 0.0), (0.0, 1.0, 1.0), (0.5, 0.0, 1.0))
# The colours of eyes, nose and corners of the mouth that InstantID's ControlNet was trained on (arXiv 2401.07519).
POINTS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0))
NOSE = 2
DIM, THIN = 0.6, 0.4  # sticks beside points: how bright, and their half width in radii
SAMPLES = 4


def with_circles(picture: Tensor, faces: Sequence[FacePlace], radius: float) -> Tensor:
    """The picture [H, W, 3] in 0..1 with a filled circle on each face, the first face's hue first.

    radius : in sides of the face
    """
    height, width = picture.shape[:2]
    for index, face in enumerate(faces):
        centre, _, side = pixels(face, height, width)
        picture = _dot(picture, centre, radius * side, CIRCLES[index % len(CIRCLES)])
    return picture


def key_point_picture(faces: Sequence[FacePlace], height: int, width: int, radius: float) -> Tensor:
    """Black with five dots per face, each joined to the nose by a dimmer stick of its colour: [height, width, 3].

    radius : of the dots in pixels; sticks are 0.4 of it to each side
    """
    picture = torch.zeros(height, width, 3)
    for face in faces:
        _, points, _ = pixels(face, height, width)
        for index, colour in enumerate(POINTS):
            if index != NOSE:
                picture = _stick(picture, points[index], points[NOSE], THIN * radius, [DIM * c for c in colour])
    for face in faces:
        _, points, _ = pixels(face, height, width)
        for point, colour in zip(points, POINTS, strict=True):
            picture = _dot(picture, point, radius, colour)
    return picture


def _dot(picture: Tensor, centre: Tensor, radius: float, colour: Sequence[float]) -> Tensor:
    return _stick(picture, centre, centre, radius, colour)


def _stick(picture: Tensor, one: Tensor, other: Tensor, radius: float, colour: Sequence[float]) -> Tensor:
    """The picture with a round-ended line, at least a pixel wide; places in pixels, x before y."""
    radius = max(radius, 0.5)
    low = (torch.minimum(one, other) - radius).floor().long().tolist()
    high = (torch.maximum(one, other) + radius).ceil().long().tolist()
    rows, columns = (
        slice(max(low[axis], 0), min(high[axis], count)) for axis, count in zip((1, 0), picture.shape[:2], strict=True)
    )
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return picture
    y, x = (sample_points(torch.arange(part.start, part.stop + 1.0), SAMPLES) for part in (rows, columns))
    ends = [(*point.tolist(), radius) for point in (one, other)]
    inside = bone(x[None].expand(len(y), -1), y[:, None].expand(-1, len(x)), *ends) > 0
    cover = mean_of_samples(inside.float(), SAMPLES)[..., None]
    painted = picture.clone()
    painted[rows, columns] += cover * (picture.new_tensor(colour) - painted[rows, columns])
    return painted
