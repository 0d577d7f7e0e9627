"""Pictures and the cast they should show, to figures and marked pictures: where the rooms meet for Score Cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...attention.recipes.cast import Cast
from ...attention.regions.region import rasterise
from ...face.engine import Face, FaceEngine
from ...face.identity import described_by, normed_embedding
from ...measure.figures import Figures, identity_figures, with_members, with_whole
from ...measure.layout import layout_iou, outer_boxes
from ...measure.likeness import score_picture
from ...measure.match import match_faces, similarity_matrix
from ...measure.prompt_margin import prompt_margins
from ...measure.report import distinct, report
from ...measure.targets import blending, copy_paste, of_members
from ..host.faces.late_faces import described_cast
from ..host.scores.prompt_judge import PromptJudge
from ..marks import score_marks
from .score_plots import heat_maps

COVERED = 0.5  # a pixel belongs to a region that covers at least half of it


@dataclass(frozen=True, eq=False)
class CastScores:
    """The report (see measure/report.py), the pictures with their faces marked, and the similarities as heat maps,
    uint8 [H, W, 3] each."""

    report: dict
    marked: list[np.ndarray]
    plots: list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Beside:
    """What may be known besides pictures and cast.

    targets  : pictures of the same people, uint8 [H, W, 3], one for each picture or one for all
    people   : for each picture the boxes of people in it, [N, 4] xyxy pixels, or None
    judge    : compares clothes and deeds with everybody's prompt
    left_out : what is not measured, and what that takes
    """

    targets: Sequence[np.ndarray] = ()
    people: Sequence[np.ndarray] | None = None
    judge: PromptJudge | None = None
    left_out: Sequence[str] = ()


def scorable(cast: Cast) -> tuple[Cast, list[str]]:
    """The members who have a face, and their names, all different. Raises ValueError when there is nobody."""
    if not cast:
        raise ValueError("The cast is empty, so there is nobody to look for. Connect a Cast Member node.")
    cast = tuple(member for member in cast if member.identity.embeddings)
    if not cast:
        raise ValueError("The cast has subjects without a face alone, and faces are what is scored.")
    return cast, distinct([member.identity.name for member in cast])


def score_cast(
    engine: FaceEngine, pictures: Sequence[np.ndarray], cast: Cast, beside: Beside | None = None
) -> CastScores:
    """Score pictures, uint8 [H, W, 3] of one size, against a cast, with the faces as `engine` sees them.

    References are the identities' own crops described by this engine, so a recogniser that had no part in making the
    picture can judge it. Subjects without a face are left out. Raises ValueError for a cast without anybody, and for
    targets that show none of them.
    """
    beside = beside or Beside()
    cast, names = scorable(described_cast(cast, engine, "Score Cast"))
    references = np.stack([normed_embedding(described_by(m.identity, engine), engine.recogniser) for m in cast])
    regions = rasterise([member.region for member in cast], *pictures[0].shape[:2]).numpy() >= COVERED
    targets = targets_of(engine, beside.targets, references, len(pictures))
    figures, found, marked = [], [], []
    for index, picture in enumerate(pictures):
        faces = engine.detect(picture)
        one = figures_of(faces, references, regions)
        one = with_beside(one, embeddings_of(faces, references), references, targets and targets[index])
        figures.append(with_picture(one, picture, regions, beside, index))
        found.append(faces)
        marked.append(score_marks(picture, boxes_of(faces), one.score, names, regions))
    confidences = [[face.score for face in faces] for faces in found]
    boxes = [boxes_of(faces) for faces in found]
    result = report(figures, boxes, confidences, names, engine.recogniser, beside.left_out)
    return CastScores(result, marked, heat_maps(figures, names))


def figures_of(faces: Sequence[Face], references: np.ndarray, regions: np.ndarray) -> Figures:
    """What the faces of one picture say against unit references [R, D] and regions, bool [R, H, W]."""
    embeddings = embeddings_of(faces, references)
    score = score_picture(similarity_matrix(embeddings, references), boxes_of(faces), regions)
    return identity_figures(score, similarity_matrix(embeddings, embeddings), similarity_matrix(references, references))


def with_beside(
    figures: Figures, embeddings: np.ndarray, references: np.ndarray, targets: np.ndarray | None
) -> Figures:
    """The figures and those against targets, [R, D] with NaN for members whom the target does not show."""
    if targets is None:
        return figures
    matched = figures.score.matched
    shown = ~np.isnan(targets).any(axis=1)
    to_target = np.full(figures.score.similarity.shape, np.nan)
    to_target[:, shown] = similarity_matrix(embeddings, targets[shown])
    apart = np.full(len(references), np.nan)
    apart[shown] = np.diagonal(similarity_matrix(targets[shown], references[shown]))
    own = of_members(to_target, matched)
    copied = copy_paste(own, of_members(figures.score.similarity, matched), apart)
    figures = with_members(figures, "sim_target", np.where(shown & (matched < 0), 0.0, own))
    figures = with_members(figures, "copy_paste", copied)
    return with_whole(figures, "blending", blending(to_target, matched))


def with_picture(figures: Figures, picture: np.ndarray, regions: np.ndarray, beside: Beside, index: int) -> Figures:
    """The figures and those that something else than faces is needed for, of picture number `index`."""
    if beside.people is None and beside.judge is None:
        return figures
    boxes = outer_boxes(regions)
    if beside.people is not None:
        figures = with_members(figures, "layout_iou", layout_iou(beside.people[index], boxes))
    if beside.judge is not None:
        judge, margins = beside.judge, np.full(len(boxes), np.nan)
        members = np.array(judge.members)
        if (boxes[members, 2] > boxes[members, 0]).all():
            margins[members] = prompt_margins(judge.similarity(picture, boxes[members]))
        figures = with_members(figures, "prompt_margin", margins)
    return figures


def targets_of(
    engine: FaceEngine, pictures: Sequence[np.ndarray], references: np.ndarray, count: int
) -> list[np.ndarray] | None:
    """For each of `count` pictures the embeddings of the members in its target, [R, D], NaN for who is not in it.

    Raises ValueError when targets are neither one nor one for each picture, or when one shows no face.
    """
    if not len(pictures):
        return None
    if len(pictures) not in (1, count):
        raise ValueError(
            f"Troupe, Score Cast: there are {len(pictures)} targets for {count} pictures. Connect one target for all "
            "of them, or one for each."
        )
    targets = []
    for number, picture in enumerate(pictures):
        faces = engine.detect(picture)
        if not faces:
            raise ValueError(
                f"Troupe, Score Cast: no face was found in target {number + 1} of {len(pictures)} "
                f"({picture.shape[1]}x{picture.shape[0]} pixels). Connect a photo that shows the cast's faces."
            )
        embeddings = embeddings_of(faces, references)
        matched = match_faces(similarity_matrix(embeddings, references))
        rows = np.full(references.shape, np.nan)
        rows[matched >= 0] = embeddings[matched[matched >= 0]]
        targets.append(rows)
    return targets * count if len(targets) == 1 else targets


def embeddings_of(faces: Sequence[Face], references: np.ndarray) -> np.ndarray:
    return np.array([face.embedding for face in faces]).reshape(-1, references.shape[1])


def boxes_of(faces: Sequence[Face]) -> np.ndarray:
    return np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
