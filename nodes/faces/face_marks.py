"""Whose faces are marked on a control picture: those of regions, those found on a picture, or those in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...attention.control_marks import with_circles
from ...attention.face_places import FacePlace, face_found, face_in, faces_of_regions
from ...attention.regions import Region
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
) -> list[FacePlace]:
    """The faces to be marked.

    aspect : width over height of the picture they are marked on
    faces  : IMAGE of one picture on which `engine` finds faces: all of them from left to right, or in the order of the
             regions the one in each; without it, faces stand where the regions' people are drawn
    Raises ValueError, with the node's name, for nothing connected, an engine or a picture alone, a batch, a picture
    without faces, and a region without one.
    """
    if (faces is None) != (engine is None):
        missing, there = ("faces", "engine") if faces is None else ("engine", "faces")
        raise ValueError(f"Troupe, {node}: '{there}' needs '{missing}' beside it. Connect both, or only regions.")
    if faces is None:
        if not regions:
            raise ValueError(
                f"Troupe, {node}: there are no faces. Connect regions, or an engine and a picture of faces."
            )
        return [face_in(region, aspect, figure, heads) for region in regions]
    found = _found(node, engine, faces)
    if not regions:
        return found
    chosen = faces_of_regions(regions, found, aspect)
    empty = [region.name for region, face in zip(regions, chosen, strict=True) if face < 0]
    if empty:
        raise ValueError(
            f"Troupe, {node}: {len(found)} faces were found on the picture, but none in region "
            f"{' and '.join(repr(name) for name in empty)}. Move the region over a face, or take it away."
        )
    return [found[face] for face in chosen]


def _found(node: str, engine: Any, faces: Tensor) -> list[FacePlace]:
    if faces.ndim == 4 and len(faces) != 1:
        raise ValueError(f"Troupe, {node}: got a batch of {len(faces)} pictures of faces, needs one.")
    (picture,) = to_pictures(faces)
    height, width = picture.shape[:2]
    finding = find_faces(engine, picture, Search())
    found = [face_found(face.bbox, face.keypoints, height, width) for face in finding.faces]
    if not found:
        raise ValueError(
            f"Troupe, {node}: no face was found on the picture ({len(finding.tried)} looks of face pack "
            f"'{engine.name}'). Use one with larger or clearer faces, or connect only regions."
        )
    return sorted(found, key=lambda face: face.x)


def circled(image: Tensor, faces: Sequence[FacePlace], radius: float) -> Tensor:
    """Every frame of an IMAGE [B, H, W, C] with the circles, as colour."""
    frames = image[..., :3].expand(*image.shape[:3], 3)
    return torch.stack([with_circles(frame, faces, radius) for frame in frames])
