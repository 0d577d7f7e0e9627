"""Which found face is which person: similarities of all pairs, and the best one-to-one match."""

from __future__ import annotations

import numpy as np


def similarity_matrix(faces: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Cosine of every found face with every reference, float64 [F, R].

    faces, references : [F, D], [R, D] embeddings of one recogniser, of any length but 0
    Raises ValueError for embeddings of different recognisers (other D), of length 0, or not finite.
    """
    faces, references = np.asarray(faces, np.float64), np.asarray(references, np.float64)
    if faces.ndim != 2 or references.ndim != 2 or faces.shape[1] != references.shape[1]:
        raise ValueError(
            f"Found faces {list(faces.shape)} and references {list(references.shape)} cannot be compared: "
            "both must be [number, D] embeddings of one recogniser."
        )
    return _directions(faces) @ _directions(references).T


def match_faces(similarity: np.ndarray) -> np.ndarray:
    """For every reference the index of its face, int [R], or -1 where faces ran out.

    The assignment with the largest total similarity (Hungarian method), at most one face per reference, as in
    MultiID-Bench (arXiv 2510.14975). With at least as many faces as references nobody stays without a face, however
    little it resembles them; it then counts with the similarity it has.
    """
    from scipy.optimize import linear_sum_assignment

    matched = np.full(similarity.shape[1], -1)
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    matched[columns] = rows
    return matched


def _directions(embeddings: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise ValueError("An embedding of length 0, or one that is not finite, cannot be compared with another.")
    return embeddings / lengths
