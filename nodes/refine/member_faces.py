"""Which found face is whose: one for each member, inside of the member's region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...attention.recipes.cast import Cast
from ...attention.regions.region import rasterise
from ...face.engine import Face, FaceEngine
from ...face.identity import described_by, normed_embedding
from ...face.passes import larger_passes
from ...face.search import with_more
from ...measure.likeness import inside
from ...measure.match import match_faces, similarity_matrix

COVERED = 0.5  # a pixel belongs to a region that covers at least half of it, as in Score Cast
ELSEWHERE = 1e3  # more than any sum of cosines of a cast: a face in the region comes before every likeness
SIZE = 1e-6  # of equally similar faces the larger one is taken


@dataclass(frozen=True, eq=False)
class MemberFace:
    """The face of a member: its box, xyxy pixels, and its cosine with the member's references."""

    bbox: np.ndarray
    likeness: float


@dataclass(frozen=True, eq=False)
class Lookout:
    """Finds the faces of members, [R] of them.

    references : float32 [R, D] unit length, as the engine's recogniser describes the members
    """

    engine: FaceEngine
    members: Cast
    references: np.ndarray

    def regions(self, picture: np.ndarray) -> np.ndarray:
        """Where each member belongs on a picture, bool [R, H, W]."""
        return rasterise([member.region for member in self.members], *picture.shape[:2]).numpy() >= COVERED

    def faces(self, picture: np.ndarray, regions: np.ndarray) -> list[MemberFace | None]:
        """Each member's face on the whole picture, uint8 [H, W, 3]; None where there is none."""
        found = self.engine.detect(picture) if self.members else []
        matched = self._matched(found, regions)
        for how in larger_passes(self.engine.size, picture.shape[1::-1]) if self.members else ():
            if (matched >= 0).all():
                break
            # Faces that are small for one pass; those it found keep their boxes.
            found = with_more(self.engine, picture, found, how)
            matched = self._matched(found, regions)
        if not found:
            return [None] * len(self.members)
        similarity = similarity_matrix(np.stack([face.embedding for face in found]), self.references)
        boxes = np.stack([face.bbox for face in found])
        return [
            MemberFace(boxes[face], float(similarity[face, member])) if face >= 0 else None
            for member, face in enumerate(matched)
        ]

    def _matched(self, found: list[Face], regions: np.ndarray) -> np.ndarray:
        """For every member the index of their face, int [R], or -1."""
        if not found:
            return np.full(len(self.members), -1)
        similarity = similarity_matrix(np.stack([face.embedding for face in found]), self.references)
        return faces_of_members(similarity, np.stack([face.bbox for face in found]), regions)


def lookout_for(engine: FaceEngine, members: Cast) -> Lookout:
    """For members who all have a face."""
    rows = [normed_embedding(described_by(member.identity, engine), engine.recogniser) for member in members]
    return Lookout(engine, members, np.stack(rows) if rows else np.zeros((0, 1), np.float32))


def faces_of_members(similarity: np.ndarray, boxes: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """For every member the index of their face, int [R], or -1 where there is none.

    similarity : [F, R] cosines (measure.match.similarity_matrix), at least one face
    boxes      : [F, 4] xyxy pixels
    regions    : bool [R, H, W], where each member belongs
    A member's face has its centre in their region. Of all ways to give as many members as possible a face, one each, it
    is the one with the largest total similarity.
    """
    here = inside(boxes, regions)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    merit = similarity + SIZE * (area / area.max())[:, None] - ELSEWHERE * ~here
    matched = match_faces(merit)
    return np.where((matched >= 0) & here[matched, np.arange(len(matched))], matched, -1)
