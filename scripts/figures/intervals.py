"""A mean with its interval, from samples: few timings, or many values of any distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from ...measure.intervals import mean_interval
from .verdict import Figure


def t_figure(values: Sequence[float], level: float = 0.95) -> Figure:
    """The mean of `values` with its t interval (Student 1908), honest for three values already; for timings."""
    sample = np.asarray(values, np.float64)
    mean = float(sample.mean())
    if len(sample) < 2:
        return Figure(mean, -np.inf, np.inf, len(sample))
    reach = float(stats.t.ppf((1 + level) / 2, len(sample) - 1) * sample.std(ddof=1) / len(sample) ** 0.5)
    return Figure(mean, mean - reach, mean + reach, len(sample))


def bootstrap_figure(values: Sequence[float], level: float = 0.95) -> Figure:
    """The mean of `values`, one per independent picture, with its bootstrap interval; wants ten of them or more."""
    return Figure(float(np.mean(values)), *mean_interval(values, level), len(values))
