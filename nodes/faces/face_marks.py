"""Whose faces are marked on a control picture: those of regions, those found on a picture, or those in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...attention.figures.control_marks import with_circles
from ...attention.figures.faces import FacePlace, Points, face_found, face_in, faces_of_regions, own_points
from ...attention.recipes.cast import Cast
from ...attention.regions.region import Region
from ...face.engine import Search
from ...face.search import find_faces
from ..host.images import to_pictures


def faces_for(
    node: str,
    aspect: float,
    figure: str,
    heads: float,
    regions: Sequence[Region] | None,
    engine: Any = None,
    faces: Tensor | None = None,
    cast: Cast | None = None,
) -> list[FacePlace]:
    """The faces to be marked.

    aspect : width over height of the picture they are marked on
    faces  : IMAGE of one picture on which `engine` finds faces: all of them from left to right, or in the order of the
             regions the one in each; without it, faces stand where the regions' people are drawn
    cast   : instead of regions, those of its members, each with the key points of their own photo; members without a
             face or without strength are left out
    Raises ValueError, with the node's name, for nothing connected, an engine or a picture alone, regions and a cast, a
    cast without faces, a batch, a picture without faces, and a region without one.
    """
    if (faces is None) != (engine is None):
        missing, there = ("faces", "engine") if faces is None else ("engine", "faces")
        raise ValueError(f"Troupe, {node}: '{there}' needs '{missing}' beside it. Connect both, or only regions.")
    own = [None] * len(regions or ())
    if cast is not None:
        regions, own = _of_cast(node, cast, regions)
    if faces is None:
        if not regions:
            raise ValueError(
                f"Troupe, {node}: there are no faces. Connect regions, or an engine and a picture of faces."
            )
        return [face_in(region, aspect, figure, heads, who) for region, who in zip(regions, own, strict=True)]
    found = _found(node, engine, faces, aspect)
    if not regions:
        return found
    chosen = faces_of_regions(regions, found, aspect)
    empty = [region.name for region, face in zip(regions, chosen, strict=True) if face < 0]
    if empty:
        raise ValueError(
            f"Troupe, {node}: {len(found)} face{'s were' if len(found) > 1 else ' was'} found on the picture, but none "
            f"in region {' and '.join(repr(name) for name in empty)}. Move the region over a face, or take it away."
        )
    return [found[face] for face in chosen]


def _of_cast(node: str, cast: Cast, regions: Sequence[Region] | None) -> tuple[list[Region], list[Points | None]]:
    """The regions of the members who have a face, and their own key points."""
    if regions:
        raise ValueError(
            f"Troupe, {node}: 'regions' and 'cast' are both connected, and a cast brings the regions of its members. "
            "Connect one of them."
        )
    seen = [member for member in cast if member.strength > 0 and len(member.identity.keypoints)]
    if not seen:
        raise ValueError(
            f"Troupe, {node}: nobody in this cast has a face and a strength above 0. Add somebody from Extract "
            "Identity with Cast Member, or connect regions."
        )
    return [member.region for member in seen], [_own_points(member.identity) for member in seen]


def _own_points(identity: Any) -> Points | None:
    """Of the first photo that counts."""
    weights = list(identity.weights) or [1.0] * len(identity.boxes)
    first = next(photo for photo, weight in enumerate(weights) if weight > 0)
    return own_points(identity.boxes[first], identity.keypoints[first])


def _found(node: str, engine: Any, faces: Tensor, aspect: float) -> list[FacePlace]:
    if faces.ndim == 4 and len(faces) != 1:
        raise ValueError(f"Troupe, {node}: got a batch of {len(faces)} pictures of faces, needs one.")
    (picture,) = to_pictures(faces)
    height, width = picture.shape[:2]
    finding = find_faces(engine, picture, Search())
    if not finding.faces:
        raise ValueError(
            f"Troupe, {node}: no face was found on the picture ({len(finding.tried)} detection passes of face pack "
            f"'{engine.name}'). Use one with larger or clearer faces, or connect only regions."
        )
    found = [face_found(face.bbox, face.keypoints, height, width, aspect) for face in finding.faces]
    shown = [face for face in found if 0 <= face.x <= 1 and 0 <= face.y <= 1]
    if not shown:
        raise ValueError(
            f"Troupe, {node}: the faces on the picture of {width} x {height} pixels lie outside of its middle, and "
            f"only that fits a shape of {aspect:.2f} to 1. Crop it around the faces first."
        )
    return sorted(shown, key=lambda face: face.x)


def circled(image: Tensor, faces: Sequence[FacePlace], radius: float) -> Tensor:
    """Every frame of an IMAGE [B, H, W, C] with the circles, as colour."""
    frames = image[..., :3].expand(*image.shape[:3], 3)
    return torch.stack([with_circles(frame, faces, radius) for frame in frames])
