"""From a figure and a bound to a verdict: a row fails only when its whole interval lies beyond the bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

HOLDS, FALLS_SHORT, UNDECIDED, MEASURED = "holds", "falls short", "undecided", "measured"
LEAST_SAMPLES = 3


@dataclass(frozen=True)
class Figure:
    """A mean, its 95 % interval and how many independent samples it rests on."""

    value: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True)
class Row:
    """One line of a bench. `bound` is what the figure must not exceed (`at_most`) or fall below; None only measures."""

    name: str
    unit: str
    measure: Callable[[], Figure]
    bound: float | None = None
    at_most: bool = True
    least_samples: int = LEAST_SAMPLES


def verdict(figure: Figure, bound: float | None, at_most: bool = True, least_samples: int = LEAST_SAMPLES) -> str:
    """`holds` when the interval lies wholly within the bound, `falls short` when wholly beyond, else `undecided`.

    With fewer than `least_samples` samples nothing is decided, whatever the interval says; neither with a NaN in it.
    """
    if bound is None:
        return MEASURED
    if figure.samples < least_samples:
        return UNDECIDED
    low, high = (figure.low, figure.high) if at_most else (-figure.high, -figure.low)
    limit = bound if at_most else -bound
    if high <= limit:
        return HOLDS
    return FALLS_SHORT if low > limit else UNDECIDED
