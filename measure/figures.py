"""Everything that was measured on one picture, by the names that reports and choices use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .identity_figures import face_sim, id_conf, mixing, multi_sim, sim_ref
from .likeness import PictureScore, mean_of
from .ranking import overall

# What can be measured, in the order of reports: a few words each, and whether less is better.
FIGURES = {
    "overall": ("likeness in the right place, without strangers", False),
    "own": ("likeness to oneself, a missing face counts 0", False),
    "other": ("likeness to the others", True),
    "right_place": ("share of members in their region", False),
    "count_right": ("as many faces as members", False),
    "sim_ref": ("Sim(Ref) of found faces", False),
    "face_sim": ("FaceSim of the least alike member", False),
    "multi_sim": ("MultiSim", False),
    "mixing": ("how much more alike the faces are than the people", True),
    "id_conf": ("ID-Conf", False),
    "sim_target": ("likeness to the target", False),
    "copy_paste": ("nearer to the reference than to the target", True),
    "blending": ("likeness to the others' targets", True),
    "layout_iou": ("overlap of people with their regions", False),
    "prompt_margin": ("nearer to one's own prompt than to the others'", False),
}


@dataclass(frozen=True, eq=False)
class Figures:
    """One picture against a cast of R members.

    score   : faces, likeness and places
    whole   : name -> figure of the picture, None where there was nothing to measure it on
    members : name -> [R], the same for each member; NaN where there was nothing
    """

    score: PictureScore
    whole: Mapping[str, float | None]
    members: Mapping[str, np.ndarray]


def identity_figures(score: PictureScore, among_faces: np.ndarray, among_references: np.ndarray) -> Figures:
    """What similarities say of a picture (see identity_figures.py).

    among_faces, among_references : [F, F] and [R, R] cosines of found faces, and of references, with each other
    """
    confidence = id_conf(score.similarity, score.matched)
    whole = {
        "overall": overall(score),
        **mean_of([score]),
        "sim_ref": sim_ref(score.similarity, score.matched),
        "face_sim": face_sim(score.similarity),
        "multi_sim": multi_sim(score.similarity, score.matched, among_faces),
        "mixing": mixing(score.matched, among_faces, among_references),
        "id_conf": float(confidence.mean()),
    }
    members = {"own": score.own, "right_place": score.right_place.astype(float), "id_conf": confidence}
    return Figures(score, whole, members)


def with_whole(figures: Figures, name: str, value: float | None) -> Figures:
    """The figures and one more of the whole picture."""
    return replace(figures, whole={**figures.whole, name: value})


def with_members(figures: Figures, name: str, values: np.ndarray) -> Figures:
    """The figures and one more of each member, [R]; the picture has the mean over those that it is known of."""
    known = np.asarray(values, np.float64)[~np.isnan(values)]
    whole = {**figures.whole, name: float(known.mean()) if len(known) else None}
    return replace(figures, whole=whole, members={**figures.members, name: values})


def mean_figures(figures: Sequence[Figures]) -> dict[str, float | None]:
    """The mean of every figure over the pictures that have it; None where none has. ValueError without a picture."""
    if not figures:
        raise ValueError("There is no picture to take a mean over.")
    means = {}
    for name in FIGURES:
        if name in figures[0].whole:
            known = [one.whole[name] for one in figures if one.whole.get(name) is not None]
            means[name] = float(np.mean(known)) if known else None
    return means
