"""Pictures and the cast they should show, to figures and marked pictures: where the rooms meet for Score Cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...attention.cast import Cast
from ...attention.regions import rasterise
from ...face.engine import FaceEngine
from ...face.identity import described_by, normed_embedding
from ...measure.likeness import score_picture
from ...measure.match import similarity_matrix
from ...measure.report import distinct, report
from ..marks import score_marks

COVERED = 0.5  # a pixel belongs to a region that covers at least half of it


@dataclass(frozen=True, eq=False)
class CastScores:
    """The report (see measure/report.py) and the pictures with their faces marked, uint8 [H, W, 3] each."""

    report: dict
    marked: list[np.ndarray]


def score_cast(engine: FaceEngine, pictures: Sequence[np.ndarray], cast: Cast) -> CastScores:
    """Score pictures, uint8 [H, W, 3] of one size, against a cast, with the faces as `engine` sees them.

    References are the identities' own crops described by this engine, so a recogniser that had no part in making the
    picture can judge it. Subjects without a face are left out. Raises ValueError for a cast without anybody.
    """
    if not cast:
        raise ValueError("The cast is empty, so there is nobody to look for. Connect a Cast Member node.")
    cast = tuple(member for member in cast if member.identity.embeddings)
    if not cast:
        raise ValueError("The cast has subjects without a face alone, and faces are what is scored.")
    names = distinct([member.identity.name for member in cast])
    references = np.stack([normed_embedding(described_by(m.identity, engine), engine.recogniser) for m in cast])
    height, width = pictures[0].shape[:2]
    regions = rasterise([member.region for member in cast], height, width).numpy() >= COVERED
    scores, boxes, confidences, marked = [], [], [], []
    for picture in pictures:
        faces = engine.detect(picture)
        found = np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
        embeddings = np.array([face.embedding for face in faces]).reshape(-1, references.shape[1])
        score = score_picture(similarity_matrix(embeddings, references), found, regions)
        scores.append(score)
        boxes.append(found)
        confidences.append([face.score for face in faces])
        marked.append(score_marks(picture, found, score, names, regions))
    return CastScores(report(scores, boxes, confidences, names, engine.recogniser), marked)
