"""The published figures of identity in one picture with several people: FaceSim, MultiSim, Sim(Ref), ID-Conf, mixing.

All of them are made of cosines: of every found face with every member's reference, similarity [F, R]; of the found
faces with each other, [F, F]; of the references with each other, [R, R]. `matched`, int [R], is the face of each member
or -1 (match.match_faces). A member without a face earns nothing in any figure; where a paper is silent on that, the
rule is ours and said below.
"""

from __future__ import annotations

import numpy as np


def sim_ref(similarity: np.ndarray, matched: np.ndarray) -> float | None:
    """Sim(Ref): mean similarity of the faces to the references they are matched to (MultiID-Bench, arXiv 2510.14975).

    A mean over found faces, as published: read it beside `own` of likeness.PictureScore, which a missing face lowers.
    None without a face.
    """
    members = np.flatnonzero(matched >= 0)
    return float(similarity[matched[members], members].mean()) if len(members) else None


def face_sim(similarity: np.ndarray) -> float:
    """FaceSim: the least alike member's similarity, below 0 counted as 0 (FastComposer, arXiv 2305.10431, evaluation).

    Faces are matched greedily there: the most alike pair first, then the next among those that are left. A member for
    whom no face is left has 0. The matching is this function's own, so it takes no `matched`.
    """
    faces, members = similarity.shape
    if faces < members:
        return 0.0
    left = np.clip(np.array(similarity, np.float64), 0, None)
    taken = []
    for _ in range(members):
        face, member = np.unravel_index(left.argmax(), left.shape)
        taken.append(float(left[face, member]))
        left[face], left[:, member] = -1, -1
    return min(taken)


def multi_sim(similarity: np.ndarray, matched: np.ndarray, among_faces: np.ndarray) -> float | None:
    """MultiSim (InstantFamily, arXiv 2404.19427, equation 11), for two people A, B and the faces A', B' drawn of them:

        MultiSim = (S(A, A') + S(B, B')) / 2 + (1 - S(A', B'))

    For more people: the mean over all of them in the first term, over all pairs of faces in the second (our reading).
    S is the plain cosine, so the range is -1 to 3. A member without a face has S = 0 in the first term, and a pair
    that lacks a face has S = 1 in the second: who is not there is not unlike anybody (our rule). None for one member.
    """
    members = len(matched)
    if members < 2:
        return None
    own = [similarity[face, member] if face >= 0 else 0.0 for member, face in enumerate(matched)]
    return float(np.mean(own) + 1 - np.mean(_pairs_of_faces(matched, among_faces, missing=1.0)))


def mixing(matched: np.ndarray, among_faces: np.ndarray, among_references: np.ndarray) -> float | None:
    """How much more alike the faces are than the people: S(A', B') - S(A, B), the mean over pairs with both faces.

    0 where the picture keeps people as far apart as their references are; unlike MultiSim, which pays for any
    difference of two faces. None without such a pair.
    """
    members = np.flatnonzero(matched >= 0)
    if len(members) < 2:
        return None
    one, other = np.triu_indices(len(members), 1)
    drawn = among_faces[matched[members[one]], matched[members[other]]]
    return float(np.mean(drawn - among_references[members[one], members[other]]))


def id_conf(similarity: np.ndarray, matched: np.ndarray) -> np.ndarray:
    """ID-Conf of each member, [R] from 0 to 1: min(1, (s1 - s2) / s1) of their two most alike faces (UMO's evaluation).

    1 where only one face resembles the member, 0 where two do equally. With one face in the picture there is no s2, and
    the member it is matched to has 1. 0 without a matched face, and where no face is alike at all (s1 not above 0):
    our rules.
    """
    if not len(similarity):
        return np.zeros(len(matched))
    best = np.sort(similarity, axis=0)[::-1]
    first, second = best[0], best[1] if len(best) > 1 else np.zeros(len(matched))
    counts = (matched >= 0) & (first > 0)
    return np.where(counts, np.clip((first - second) / np.where(counts, first, 1), 0, 1), 0.0)


def _pairs_of_faces(matched: np.ndarray, among_faces: np.ndarray, missing: float) -> np.ndarray:
    """Similarity of the faces of every pair of members; `missing` where one of them has none."""
    one, other = np.triu_indices(len(matched), 1)
    both = (matched[one] >= 0) & (matched[other] >= 0)
    pairs = np.full(len(one), missing)
    pairs[both] = among_faces[matched[one[both]], matched[other[both]]]
    return pairs
