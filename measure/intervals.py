"""How sure a mean is: bootstrap intervals over pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_interval(
    values: Sequence[float], level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bounds that hold the true mean with probability `level` (percentile bootstrap, Efron 1979).

    values : one figure per independent picture; figures of one picture belong together: pass their mean
    Fewer than two values say nothing: the interval is then unbounded.
    """
    values = np.asarray(values, np.float64)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"Values of an interval must be finite, got {values[~np.isfinite(values)][0]}.")
    if len(values) < 2:
        return -np.inf, np.inf
    picks = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
