"""What is left behind by 200 queue runs on one real server: growth per run of memory, tensors and open files.

Every run is a prompt for the demo world with another cast, in other places, with another seed. Five kinds come in
turns; they differ in the number of people, size, shape of regions, recipe, adapter and ControlNet. After each run the
process is looked into. Growth is the slope of a straight line (least squares) through the means of whole rounds of the
five kinds, from run 50 on, with its t interval; caches may fill before. Once in a round another run is interrupted at
a random moment. In the end a fresh server draws the last round again: no pixel may differ by more than the rounding of
sums whose order depends on where they lie in memory. --quick takes 40 runs, from run 20 on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy import stats

from ..benches import Settings
from ..bootstrap.errors import Refusal
from ..figures.verdict import Figure, Row
from .endurance.long_run import Endured, endure
from .endurance.queue_runs import KINDS

RUNS, FROM = 200, 50
QUICK_RUNS, QUICK_FROM = 40, 20
MEMORY_BOUND = 0.1  # MB per run; ComfyUI's own history of prompts takes some of it
TENSOR_BOUND = 0.05  # per run
TENSOR_MEMORY_BOUND = 0.02  # MB per run
HANDLE_BOUND = 0.02  # per run
ROUNDING = 1  # level of 255


def rows(settings: Settings) -> list[Row]:
    """All rows; the long run is made once for all of them."""
    runs, first = (QUICK_RUNS, QUICK_FROM) if settings.quick else (RUNS, FROM)

    @cache
    def endured() -> Endured:
        return endure(settings.installation, runs, settings.console.status)

    def growth(says: str, unit: str, name: str, bound: float) -> Row:
        def measure() -> Figure:
            return slope_figure([getattr(look, name) for look in endured().looks], first, len(KINDS))

        return Row(f"growth per run of {says}, runs {first} to {runs}", unit, measure, bound)

    def counted(says: str, count: Callable[[Endured], int], bound: float | None = None) -> Row:
        return Row(says, "", lambda: whole(count(endured())), bound, least_samples=1)

    return [
        growth("the process's memory", "MB", "memory", MEMORY_BOUND),
        growth("tensors alive", "", "tensors", TENSOR_BOUND),
        growth("the memory of tensors", "MB", "tensor_memory", TENSOR_MEMORY_BOUND),
        growth("open files and sockets", "", "handles", HANDLE_BOUND),
        Row("the process's memory in the end", "MB", lambda: whole(round(endured().looks[-1].memory))),
        counted("runs that an interrupt ended at a random moment", lambda e: e.interrupted),
        counted("runs that failed, interrupted ones aside", lambda e: failures(e, runs), 0),
        counted("largest change of a pixel when a fresh server draws the last round, of 255", largest_change, ROUNDING),
    ]


def failures(endured: Endured, runs: int) -> int:
    """How many runs failed. Raises Refusal with the first message where half of them did: nothing was measured."""
    if len(endured.failed) * 2 > runs:
        raise Refusal(f"{len(endured.failed)} of {runs} runs failed, the first with: {endured.failed[0]}")
    return len(endured.failed)


def largest_change(endured: Endured) -> int:
    """In levels of 255. Raises Refusal where there was no picture to compare."""
    if not endured.differences:
        raise Refusal(f"No run of the last round made a picture; {len(endured.failed)} runs failed.")
    return max(endured.differences)


def slope_figure(values: Sequence[float], first: int, period: int, level: float = 0.95) -> Figure:
    """Growth per run of values that come after each run, by least squares through the means of whole periods.

    first  : how many runs are left out
    period : runs of a round, in which every kind of run comes once
    The interval is Student's of the slope; it takes the means' distances from the line for independent.
    """
    kept = np.asarray(values[first:], np.float64)
    means = kept[: len(kept) // period * period].reshape(-1, period).mean(1)
    if len(means) < 3:
        return Figure(float("nan"), -np.inf, np.inf, len(means))
    at = (np.arange(len(means)) - (len(means) - 1) / 2) * period
    slope = float(at @ means / (at @ at))
    left = means - means.mean() - slope * at
    error = (left @ left / (len(means) - 2) / (at @ at)) ** 0.5
    reach = float(stats.t.ppf((1 + level) / 2, len(means) - 2) * error)
    return Figure(slope, slope - reach, slope + reach, len(means))


def whole(count: float) -> Figure:
    """A count has no interval."""
    return Figure(count, count, count, 1)
