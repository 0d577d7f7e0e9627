"""How well a picture shows its cast: likeness to oneself and to the others, right place, right number of faces.

The rules that keep the figures honest:
* Faces are found on the whole picture by something that knows nothing of the regions, and matched to the cast by
  similarity alone. Regions enter only when asked whether a face stands where it should.
* The denominator is the number of members. A member without a face has similarity 0 and is not in the right place.
* Surplus faces can lower the count figure but improve nothing: only matched faces are looked at, one per member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .match import match_faces

SAME = 1e-6  # two members with one reference are equally near


@dataclass(frozen=True, eq=False)
class PictureScore:
    """One picture against a cast of R members; F faces were found.

    similarity  : [F, R] cosine of every face with every member's reference
    matched     : int [R], the face matched to each member, or -1
    own         : [R], similarity of that face to the member; 0 without a face
    other       : mean similarity of matched faces to the members they are not matched to, None without such a pair;
                  a mean over found faces: read it beside `own`, which a missing face lowers
    placed      : bool [F], the face is matched, and its centre lies in a region of the member it resembles most
    right_place : bool [R], such a face stands in the member's region
    """

    similarity: np.ndarray
    matched: np.ndarray
    own: np.ndarray
    other: float | None
    placed: np.ndarray
    right_place: np.ndarray

    @property
    def count(self) -> int:
        return self.similarity.shape[0]

    @property
    def expected(self) -> int:
        return self.similarity.shape[1]


def score_picture(similarity: np.ndarray, boxes: np.ndarray, regions: np.ndarray) -> PictureScore:
    """Score one picture.

    similarity : [F, R] cosines (see similarity_matrix)
    boxes      : [F, 4] xyxy pixels
    regions    : bool [R, H, W], where each member belongs
    A member is in the right place when one of the matched faces has its centre in the member's region and resembles
    this member's reference more than any other member's. A random face so has one chance in R.
    """
    faces, members = similarity.shape
    if boxes.shape != (faces, 4) or regions.ndim != 3 or len(regions) != members:
        raise ValueError(
            f"Similarities {[faces, members]} need boxes [{faces}, 4] and regions [{members}, H, W], "
            f"got {list(boxes.shape)} and {list(regions.shape)}."
        )
    matched = match_faces(similarity)
    found = matched >= 0
    own = np.where(found, similarity[matched, np.arange(members)], 0.0) if faces else np.zeros(members)
    hits = inside(boxes, regions) & _resembled(similarity, matched)
    return PictureScore(
        similarity=similarity,
        matched=matched,
        own=own,
        other=_likeness_to_others(similarity, matched),
        placed=hits.any(axis=1),
        right_place=hits.any(axis=0),
    )


def inside(boxes: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Whether the centre of each box lies in each region, bool [F, R]; a centre beyond the border lies in none.

    boxes [F, 4] xyxy pixels, regions bool [R, H, W]
    """
    height, width = regions.shape[1:]
    columns, rows = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2).astype(int).T
    visible = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return regions[:, rows.clip(0, height - 1), columns.clip(0, width - 1)].T & visible[:, None]


def mean_of(scores: Sequence[PictureScore]) -> dict[str, float | None]:
    """Means over pictures: own, other (over pictures that have it; None without any), right_place, count_right."""
    if not scores:
        raise ValueError("There is no picture to take a mean over.")
    others = [score.other for score in scores if score.other is not None]
    return {
        "own": float(np.mean([score.own.mean() for score in scores])),
        "other": float(np.mean(others)) if others else None,
        "right_place": float(np.mean([score.right_place.mean() for score in scores])),
        "count_right": float(np.mean([score.count == score.expected for score in scores])),
    }


def _resembled(similarity: np.ndarray, matched: np.ndarray) -> np.ndarray:
    """The one member that each matched face resembles most, bool [F, R]; of equals, the one it is matched to."""
    resembled = np.zeros(similarity.shape, bool)
    for member, face in enumerate(matched):
        if face >= 0:
            best = similarity[face].argmax()
            tied = similarity[face, member] >= similarity[face, best] - SAME
            resembled[face, member if tied else best] = True
    return resembled


def _likeness_to_others(similarity: np.ndarray, matched: np.ndarray) -> float | None:
    members = similarity.shape[1]
    others = [np.delete(similarity[face], member) for member, face in enumerate(matched) if face >= 0 and members > 1]
    return float(np.mean(others)) if others else None
