"""A picture beside a target that shows the same people as they are: likeness to it, copy-paste and blending.

From MultiID-Bench (arXiv 2510.14975). References lend an identity, targets show it in another photo of the same scene:
a picture whose faces are nearer to the reference than the person's own other photo is has copied it.
"""

from __future__ import annotations

import numpy as np

SMALLEST_ANGLE = 1e-6  # a target that is the reference itself


def copy_paste(to_target: np.ndarray, to_reference: np.ndarray, target_to_reference: np.ndarray) -> np.ndarray:
    """The copy-paste measure of each member, [R]: (t_gt - t_gr) / max(t_tr, eps), with angles t = arccos of the cosine
    between the generated face g, the target t and the reference r (arXiv 2510.14975, section on MultiID-Bench).

    to_target, to_reference, target_to_reference : [R] cosines; NaN where a face is missing, and so is the result
    1 copies the reference, -1 is the target itself; angles keep it within these.
    """
    angles = [np.arccos(np.clip(cosines, -1, 1)) for cosines in (to_target, to_reference, target_to_reference)]
    return (angles[0] - angles[1]) / np.maximum(angles[2], SMALLEST_ANGLE)


def blending(similarity: np.ndarray, matched: np.ndarray) -> float | None:
    """Mean similarity of each member's face to the other members' targets; lower is better (arXiv 2510.14975).

    similarity : [F, R] cosines of found faces with targets; NaN for members without a target
    matched    : int [R], the face of each member, or -1
    None without a pair.
    """
    members = len(matched)
    pairs = [similarity[face, o] for m, face in enumerate(matched) for o in range(members) if face >= 0 and o != m]
    known = np.array(pairs)[~np.isnan(pairs)] if pairs else np.array([])
    return float(known.mean()) if len(known) else None


def of_members(similarity: np.ndarray, matched: np.ndarray) -> np.ndarray:
    """Similarity of each member's own face, [R]; NaN without a face. similarity [F, R], matched int [R]."""
    found = matched >= 0
    own = np.full(len(matched), np.nan)
    own[found] = similarity[matched[found], np.flatnonzero(found)]
    return own
