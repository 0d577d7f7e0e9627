"""How well a picture keeps to its layout: faces in regions, bodies against regions, who is in front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ....attention.figure_places import figure_in, place_in
from ....attention.regions import rasterise
from ....face.identity import described_by, normed_embedding
from ....face.onnx_engine import OnnxEngine
from ....measure.likeness import inside, score_picture
from ....measure.match import match_faces, similarity_matrix
from ...figures.samples import Values
from ...figures.verdict import Figure
from .bodies import Body, find_body
from .placed import HEADS, Placed
from .ratios import bounds_of_draws
from .rendered import overlap

FIELDS = ("own", "right_place", "in_region", "iou", "pairs", "in_order", "regions")
LISTS = ("picture", "confidence", "hit")  # an entry for each found body, not for each picture
LEAST_SHARED = 12  # pixels that two people's outlines must share before one of them is in front
HALF = 0.5


def layout_scores(scorer: OnnxEngine, picture: np.ndarray, placed: Placed, number: int) -> Values:
    """One picture, uint8 [S, S, 3]; faces and bodies are found on the whole of it, without knowing the regions.

    own         : mean similarity of the members to their references
    right_place : share of members with a face, known to be theirs, whose centre is in their region (Score Cast's rule)
    in_region   : share of members in whose region a face has its centre, whoever it is; a face counts once
    iou         : mean overlap of the regions with the bodies that fit them best, a body for one region; 0 without one
    pairs, in_order : pairs of members whose outlines overlap and whose prompted shirts differ, and those of them whose
                  nearer person's shirt is seen in more of the pixels that the outlines share
    regions     : how many there are
    picture, confidence, hit : of each found body, best first: `number`, the face's score, and whether it overlaps a
                  region by half that no better one has
    """
    faces = scorer.detect(picture)
    boxes = np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
    bodies = [find_body(picture, face.bbox) for face in faces]
    masks = rasterise(placed.regions, *picture.shape[:2]).numpy() >= HALF
    fits = overlap(np.array([body.box for body in bodies]).reshape(-1, 4), region_boxes(placed, picture.shape[0]))
    best = match_faces(fits)
    identity = _identity_scores(scorer, faces, boxes, placed, masks)
    hits = inside(boxes, masks)
    in_region = match_faces(hits.astype(float))
    pairs, in_order = ordered_pairs(placed, bodies, best, picture.shape[0])
    order = np.argsort([-face.score for face in faces], kind="stable")
    taken = hits_by_confidence(fits[order])
    return {
        "own": [float(identity.own.mean())],
        "right_place": [float(identity.right_place.mean())],
        "in_region": [float(np.mean([f >= 0 and bool(hits[f, r]) for r, f in enumerate(in_region)]))],
        "iou": [float(np.mean([fits[f, r] if f >= 0 else 0.0 for r, f in enumerate(best)]))],
        "pairs": [float(pairs)],
        "in_order": [float(in_order)],
        "regions": [float(len(masks))],
        "picture": [float(number)] * len(faces),
        "confidence": [float(faces[index].score) for index in order],
        "hit": [float(hit) for hit in taken],
    }


def _identity_scores(scorer: OnnxEngine, faces: Sequence, boxes: np.ndarray, placed: Placed, masks: np.ndarray):
    cast = placed.target.cast
    references = np.stack([normed_embedding(described_by(who, scorer), scorer.recogniser) for who in cast])
    embeddings = np.array([face.embedding for face in faces]).reshape(-1, references.shape[1])
    return score_picture(similarity_matrix(embeddings, references), boxes, masks)


def region_boxes(placed: Placed, size: int) -> np.ndarray:
    """The regions' boxes as far as they are in the picture, xyxy pixels [R, 4]."""
    boxes = [(r.x, r.y, r.x + r.width, r.y + r.height) for r in placed.regions]
    return np.array(boxes).clip(0, 1) * size


def ordered_pairs(placed: Placed, bodies: Sequence[Body], best: np.ndarray, size: int) -> tuple[int, int]:
    """How many pairs overlap, and in how many of them the nearer person is seen in front."""
    covers = [figure_in(place_in(r, 1.0, "standing", HEADS), size, size)[0].numpy() >= HALF for r in placed.regions]
    pairs = right = 0
    for one, other in combinations(range(len(covers)), 2):
        shared = covers[one] & covers[other]
        if shared.sum() < LEAST_SHARED or placed.shirts[one] == placed.shirts[other]:
            continue
        near, far = (one, other) if placed.regions[one].order < placed.regions[other].order else (other, one)
        seen = [int((bodies[best[i]].shirt & shared).sum()) if best[i] >= 0 else 0 for i in (near, far)]
        pairs += 1
        right += best[near] >= 0 and best[far] >= 0 and seen[0] > seen[1]
    return pairs, right


def hits_by_confidence(fits: np.ndarray) -> list[bool]:
    """Whether each found body, best first, overlaps a region by half that no better body has (PASCAL VOC's rule).

    fits : [F, R]
    """
    free, hits = np.ones(fits.shape[1], bool), []
    for row in fits:
        region = int(np.where(free, row, -1.0).argmax()) if free.any() else -1
        hits.append(region >= 0 and row[region] >= HALF)
        if hits[-1]:
            free[region] = False
    return hits


def average_precision(confidence: np.ndarray, hit: np.ndarray, regions: float) -> float:
    """Area under precision over recall of found bodies, every precision raised to the best at no less recall."""
    order = np.argsort(-confidence, kind="stable")
    true = np.cumsum(hit[order])
    precision = true / np.arange(1, len(true) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * hit[order]).sum() / regions)


def ap_figure(values: Values, level: float = 0.95, draws: int = 1000) -> Figure:
    """AP50 of all pictures, with its bootstrap interval over pictures."""
    picture, confidence, hit = (np.asarray(values[name], np.float64) for name in LISTS)
    regions = np.asarray(values["regions"], np.float64)
    rows = [np.flatnonzero(picture == number) for number in range(len(regions))]
    random, drawn = np.random.default_rng(0), []
    for _ in range(draws):
        picks = random.integers(0, len(regions), len(regions))
        chosen = np.concatenate([rows[pick] for pick in picks])
        drawn.append(average_precision(confidence[chosen], hit[chosen], regions[picks].sum()))
    whole = average_precision(confidence, hit, regions.sum())
    return Figure(whole, *bounds_of_draws(np.array(drawn), level), len(regions))
