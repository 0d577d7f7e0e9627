"""Faces and scores drawn on the pictures they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..face.extraction import Extraction
from ..measure.annotate import GREY, Mark, annotate, member_colour
from ..measure.likeness import PictureScore


def face_marks(photos: Sequence[np.ndarray], extraction: Extraction) -> list[np.ndarray]:
    """Each photo with its faces numbered from 1, largest first; the taken one is named."""
    name = extraction.identity.name
    marked = []
    for photo, faces, chosen in zip(photos, extraction.faces, extraction.chosen, strict=True):
        marks = [
            Mark(face.bbox, f"{index + 1}: {name}", member_colour(0))
            if index == chosen
            else Mark(face.bbox, str(index + 1), GREY, strong=False)
            for index, face in enumerate(faces)
        ]
        marked.append(annotate(photo, marks))
    return marked


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
