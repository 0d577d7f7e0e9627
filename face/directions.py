"""A weighted mean of directions, which is itself a direction.

The mean on the sphere is the point at which the weighted tangents towards all points cancel (Buss and Fillmore 2001,
algorithm A1). For two points it is spherical linear interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEPS, CLOSE = 100, 1e-10


def spherical_mean(directions: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """The weighted mean on the sphere of unit vectors [P, D], float64 [D] of length 1.

    Raises ValueError when there is no single one, because the vectors cancel out.
    """
    points, shares = np.asarray(directions, np.float64), np.asarray(weights, np.float64)
    shares = shares / shares.sum()
    mean = shares @ points
    length = np.linalg.norm(mean)
    if length < 1e-3:
        raise ValueError("the directions cancel out, so nobody lies between them")
    mean /= length
    for _ in range(STEPS):
        cosines = np.clip(points @ mean, -1, 1)
        angles = np.arccos(cosines)
        tangents = points - cosines[:, None] * mean
        tangents *= (angles / np.maximum(np.sin(angles), 1e-12))[:, None]
        step = shares @ tangents
        size = np.linalg.norm(step)
        if size < CLOSE:
            break
        mean = np.cos(size) * mean + np.sin(size) / size * step
        mean /= np.linalg.norm(mean)
    return mean
