"""Rows on pictures with a cast: one person, two in halves, two everywhere, and the unpatched model beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ....attention.regions.region import rasterise
from ....face.identity import described_by, normed_embedding
from ....face.onnx_engine import OnnxEngine
from ....measure.likeness import PictureScore, score_picture
from ....measure.match import similarity_matrix
from ...figures.samples import Values
from .drawing import Mode, strips
from .people import Target, targets
from .workbench import Workbench

SEED, TUNING_SEED = 7_400_001, 7_500_001
BATCH = 8
FIELDS = ("own", "other", "right_place", "found")


def measured(bench: Workbench, mode: Mode | None, people: int) -> Values:
    """What a mode does at its own best strength: values by picture (see `drawn`). Without a mode: the unpatched model.

    Two people and more stand where a depth ControlNet puts them, in every mode, at the strength
    that is best for two.
    """
    strength = best_strength(bench, mode, min(people, 2)) if mode else 0.0
    name = f"{mode.name if mode else 'unpatched'} with {people}"
    cases = bench.amounts.casts if people <= 2 else bench.amounts.crowds
    return bench.samples.get(name, lambda: drawn(bench, mode, people, strength, cases, SEED + people, name))


def best_strength(bench: Workbench, mode: Mode, people: int) -> float:
    """The strength with the highest similarity to oneself, on seeds that no row is measured on."""
    own = []
    for strength in mode.strengths:
        name = f"tuning {mode.name} with {people} at {strength}"
        cases, seed = bench.amounts.tuning, TUNING_SEED + people

        def draw(strength: float = strength, name: str = name, cases: int = cases, seed: int = seed) -> Values:
            return drawn(bench, mode, people, strength, cases, seed, name)

        own.append(float(np.mean(bench.samples.get(name, draw)["own"])))
    return mode.strengths[int(np.argmax(own))]


def drawn(
    bench: Workbench, mode: Mode | None, people: int, strength: float, count: int, seed: int, name: str
) -> Values:
    """`count` pictures, scored: by picture the mean over members of each field.

    own : similarity to oneself; other : to the others, only of pictures with a face that has any;
    right_place : the share of members there; found : the share of members for whom there is a face
    """
    values: Values = {field: [] for field in FIELDS}
    cases = targets(people, count, seed, bench.engine, bench.size)
    for first in range(0, count, BATCH):
        bench.status(f"{name}: {first} of {count} pictures")
        batch = cases[first : first + BATCH]
        for target, picture in zip(batch, pictures_of(bench, batch, mode, strength, seed + first), strict=True):
            keep(values, score(bench.scorer, picture, target))
    return values


def pictures_of(
    bench: Workbench, batch: Sequence[Target], mode: Mode | None, strength: float, seed: int
) -> list[np.ndarray]:
    """Pictures of targets with as many people each, uint8 [S, S, 3]."""
    host = bench.host
    model = host.with_casts([target.cast for target in batch], mode, strength) if mode else host.model
    crowd = len(batch[0].cast) > 1
    depth = torch.stack([target.depth for target in batch]) if crowd else None
    return host.pictures(model, [target.prompt for target in batch], bench.size, seed, depth)


def score(scorer: OnnxEngine, picture: np.ndarray, target: Target) -> PictureScore:
    """Score a picture against its cast, each of whom belongs in their own upright strip of it.

    Faces are found on the whole picture. References are the photos' faces as the scoring recogniser sees them.
    """
    references = np.stack([normed_embedding(described_by(who, scorer), scorer.recogniser) for who in target.cast])
    faces = scorer.detect(picture)
    boxes = np.array([face.bbox for face in faces], np.float32).reshape(-1, 4)
    embeddings = np.array([face.embedding for face in faces]).reshape(-1, references.shape[1])
    regions = rasterise(strips(len(target.cast)), *picture.shape[:2]).numpy() >= 0.5
    return score_picture(similarity_matrix(embeddings, references), boxes, regions)


def keep(values: Values, result: PictureScore) -> None:
    """Append one picture's figures."""
    values["own"].append(float(result.own.mean()))
    values["right_place"].append(float(result.right_place.mean()))
    values["found"].append(float((result.matched >= 0).mean()))
    if result.other is not None:
        values["other"].append(result.other)
