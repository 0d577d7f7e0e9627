"""Faces and scores drawn on the pictures they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..face.extraction import Extraction
from ..face.identity import Identity
from ..measure.annotate import GREY, Mark, annotate, member_colour
from ..measure.likeness import PictureScore

LARGEST_PREVIEW = 2048  # pixels along the longer side


def face_marks(photos: Sequence[np.ndarray], extraction: Extraction) -> list[np.ndarray]:
    """Each photo with its faces numbered from 1, largest first; the taken one is named. Large photos are reduced."""
    name = extraction.identity.name
    marked = []
    for photo, faces, chosen in zip(photos, extraction.faces, extraction.chosen, strict=True):
        small, factor = reduced(photo)
        marks = [
            Mark(face.bbox / factor, f"{index + 1}: {name}", member_colour(0))
            if index == chosen
            else Mark(face.bbox / factor, str(index + 1), GREY, strong=False)
            for index, face in enumerate(faces)
        ]
        whole = (0, 0, small.shape[1] - 1, small.shape[0] - 1)
        marked.append(annotate(small, marks or [Mark(whole, "no face", GREY, strong=False)]))
    return marked


def reduced(photo: np.ndarray) -> tuple[np.ndarray, int]:
    """The photo made smaller by the whole number that is returned with it, so that a preview stays a preview."""
    factor = -(-max(photo.shape[:2]) // LARGEST_PREVIEW)
    return (photo, 1) if factor == 1 else (np.asarray(Image.fromarray(photo).reduce(factor)), factor)


def portrait_row(identity: Identity) -> np.ndarray:
    """The faces of an identity side by side, uint8 [112, 112 P, 3]; its photos where it is a subject without a face."""
    pictures = (
        identity.crops
        if len(identity.crops)
        else [np.asarray(Image.fromarray(photo).resize((112, 112))) for photo in identity.photos]
    )
    return np.concatenate(list(pictures), axis=1)


def score_marks(
    picture: np.ndarray, boxes: np.ndarray, score: PictureScore, names: Sequence[str], regions: np.ndarray
) -> np.ndarray:
    """A picture with name and similarity of each found face, and the members' regions, bool [R, H, W], in outline."""
    member_of = {int(face): member for member, face in enumerate(score.matched) if face >= 0}
    marks = []
    for index, box in enumerate(boxes):
        member = member_of.get(index)
        if member is None:
            marks.append(Mark(box, "someone else", GREY, strong=False))
            continue
        best = int(score.similarity[index].argmax())
        note = "" if score.placed[index] else ", wrong place"
        if score.similarity[index, best] > score.similarity[index, member]:
            note = f", looks like {names[best]}"
        marks.append(Mark(box, f"{names[member]} {score.own[member]:.2f}{note}", member_colour(member)))
    marks += [
        Mark(around(regions[member]), f"{names[member]}: no face", member_colour(member), strong=False)
        for member, face in enumerate(score.matched)
        if face < 0 and regions[member].any()
    ]
    return annotate(picture, marks, [(region, member_colour(index)) for index, region in enumerate(regions)])


def around(region: np.ndarray) -> tuple[int, int, int, int]:
    """The box, xyxy pixels, around a region, bool [H, W] with at least one pixel."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
