"""Intervals of ratios: hits among all that could be hit, and one mean as a share of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...figures.verdict import Figure

DRAWS = 2000


def pooled_figure(hits: Sequence[float], of: Sequence[float], level: float = 0.95) -> Figure:
    """Sum of `hits` over sum of `of`, one pair per scene, with its bootstrap interval over scenes (Efron 1979).

    A scene of four people so counts four times as much as a scene of one.
    """
    hits, of = np.asarray(hits, np.float64), np.asarray(of, np.float64)
    if not of.sum():
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    picks = np.random.default_rng(0).integers(0, len(of), (DRAWS, len(of)))
    ratios = hits[picks].sum(1) / np.maximum(of[picks].sum(1), 1)
    return Figure(float(hits.sum() / of.sum()), *bounds_of_draws(ratios, level), len(of))


def share_figure(values: Sequence[float], whole: Sequence[float], level: float = 0.95) -> Figure:
    """The mean of `values` as a share of the mean of `whole`, two independent sets of pictures; NaN of nothing.

    The samples are those of the smaller set. A whole that may as well be nothing leaves the share open: its interval
    then has no end.
    """
    values, whole = np.asarray(values, np.float64), np.asarray(whole, np.float64)
    if whole.mean() <= 0:
        return Figure(float("nan"), float("nan"), float("nan"), min(len(values), len(whole)))
    draws = np.random.default_rng(0)
    means = [part[draws.integers(0, len(part), (DRAWS, len(part)))].mean(1) for part in (values, whole)]
    bounds = bounds_of_draws(means[0] / means[1], level) if means[1].min() > 0 else (-np.inf, np.inf)
    return Figure(float(values.mean() / whole.mean()), *bounds, min(len(values), len(whole)))


def paired_share_figure(values: Sequence[float], whole: Sequence[float], level: float = 0.95) -> Figure:
    """The mean of `values` as a share of the mean of `whole`, of the same pictures in the same order; NaN of nothing.

    What a picture makes hard for both cancels, so the interval is that of draws of pictures, not of values.
    """
    values, whole = np.asarray(values, np.float64), np.asarray(whole, np.float64)
    if not len(whole) or whole.mean() <= 0:
        return Figure(float("nan"), float("nan"), float("nan"), len(whole))
    picks = np.random.default_rng(0).integers(0, len(whole), (DRAWS, len(whole)))
    sums = [part[picks].sum(1) for part in (values, whole)]
    bounds = bounds_of_draws(sums[0] / sums[1], level) if sums[1].min() > 0 else (-np.inf, np.inf)
    return Figure(float(values.mean() / whole.mean()), *bounds, len(whole))


def bounds_of_draws(values: np.ndarray, level: float) -> tuple[float, float]:
    """What the middle `level` of bootstrap draws lies between."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
