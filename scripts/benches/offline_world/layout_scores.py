"""How well a picture keeps to its layout: faces in regions, bodies against regions, who is in front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ....attention.regions.region import Region, rasterise
from ....face.identity import described_by, normed_embedding
from ....face.onnx_engine import OnnxEngine
from ....measure.layout import box_iou
from ....measure.likeness import inside, score_picture
from ....measure.match import match_faces, similarity_matrix
from ...figures.samples import Values
from ...figures.verdict import Figure
from .bodies import ALIKE, Body, find_body
from .placed import Placed
from .ratios import bounds_of_draws

FIELDS = ("own", "right_place", "in_region", "iou", "pairs", "in_order", "regions")
LISTS = ("picture", "confidence", "hit")  # an entry for each found body, not for each picture
LEAST_SHARED = 20  # pixels that two people's torsos must share before one of them is in front
TORSO = (0.48, 0.7)  # where a torso is widest, in heights of a whole person (demo/person.py)
SLIM = 0.84  # the slimmest person's width, in widths of a region
DIFFERENT = 0.25  # how far shirts' colours must be apart to be told from each other
HALF = 0.5


def layout_scores(scorer: OnnxEngine, picture: np.ndarray, placed: Placed, number: int) -> Values:
    """One picture, uint8 [S, S, 3]; faces and bodies are found on the whole of it, without knowing the regions.

    own         : mean similarity of the members to their references
    right_place : share of members with a face, known to be theirs, whose centre is in their region (Score Cast's rule)
    in_region   : share of members in whose region a face has its centre, whoever it is; a face counts once
    iou         : mean overlap of the regions with the bodies that fit them best, a body for one region; 0 without one
    pairs, in_order : pairs of members whose torsos overlap in their regions and whose prompted shirts differ, and those
                  of them whose nearer person's shirt is seen in more of the pixels there
    regions     : how many there are
    picture, confidence, hit : of each found body, best first: `number`, the face's score, and whether it overlaps a
                  region by half that no better one has
    """
    faces = scorer.detect(picture)
    boxes = np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
    bodies = [find_body(picture, face.bbox) for face in faces]
    masks = rasterise(placed.regions, *picture.shape[:2]).numpy() >= HALF
    fits = box_iou(np.array([body.box for body in bodies]).reshape(-1, 4), region_boxes(placed, picture.shape[0]))
    best = match_faces(fits)
    identity = _identity_scores(scorer, faces, boxes, placed, masks)
    hits = inside(boxes, masks)
    in_region = match_faces(hits.astype(float))
    pairs, in_order = ordered_pairs(placed, picture, bodies, best)
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


def ordered_pairs(placed: Placed, picture: np.ndarray, bodies: Sequence[Body], best: np.ndarray) -> tuple[int, int]:
    """How many pairs overlap, and in how many of them the nearer person is seen in front."""
    pairs = right = 0
    for one, other in combinations(range(len(placed.regions)), 2):
        shared = shared_torso(placed.regions[one], placed.regions[other], picture)
        if shared.size < 3 * LEAST_SHARED or placed.shirts[one] == placed.shirts[other]:
            continue
        nearest_first = sorted((one, other), key=lambda index: placed.regions[index].order)
        colours = [bodies[best[index]].colour if best[index] >= 0 else None for index in nearest_first]
        pairs += 1
        right += is_in_front(shared, *colours)
    return pairs, right


def shared_torso(one: Region, other: Region, picture: np.ndarray) -> np.ndarray:
    """The pixels [h, w, 3] where the torsos of any two whole people in these regions overlap, however slim."""
    size = np.array(picture.shape[:2])
    tops = [region.y + TORSO[0] * region.height for region in (one, other)]
    ends = [region.y + TORSO[1] * region.height for region in (one, other)]
    middles, reaches = zip(*((r.x + r.width / 2, SLIM * r.width / 2) for r in (one, other)), strict=True)
    low = np.array([max(tops), max(m - r for m, r in zip(middles, reaches, strict=True))])
    high = np.array([min(ends), min(m + r for m, r in zip(middles, reaches, strict=True))])
    (top, left), (bottom, right) = ((edge.clip(0, 1) * size).round().astype(int) for edge in (low, high))
    return picture[top:bottom, left:right]


def is_in_front(shared: np.ndarray, near: np.ndarray | None, far: np.ndarray | None) -> bool:
    """Whether more pixels have the nearer shirt's colour than the farther one's; no shirt is in front of nothing."""
    if near is None or far is None or np.abs(near - far).max() < DIFFERENT:
        return False
    to_near, to_far = (np.abs(shared / 255 - colour).max(-1) for colour in (near, far))
    return int(((to_near < to_far) & (to_near <= ALIKE)).sum()) > int(((to_far < to_near) & (to_far <= ALIKE)).sum())


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
