"""Time calls of two models in turns, by process time on a CPU and by device events on an accelerator."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy import stats

from ...figures.intervals import t_figure
from ...figures.verdict import Figure
from .runs import Call, within_runs
from .structures import Structure

Seconds = Callable[[Call], float]


def clock(device: torch.device) -> Seconds:
    """How long a call takes a device, in seconds."""
    return _device_seconds if device.type == "cuda" else process_seconds


def process_seconds(call: Call) -> float:
    """How long a call takes this process's processors, in seconds."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _device_seconds(call: Call) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000


def time_in_turns(
    structure: Structure, plain: Any, patched: Any, size: int, runs: int, pairs: int, seconds: Seconds
) -> dict[str, list[float]]:
    """Seconds of `runs` times `pairs` calls of each model, and of the first patched call of each run.

    Within a run the two models are called in turns, and which of them goes first changes from pair to pair: plain,
    patched, patched, plain, plain, patched and so on. Each run begins with a patched call that is no part of the pairs,
    because it also projects every identity's keys and values; before the first run the host warms up.
    """
    found: dict[str, list[float]] = {"first": [], "plain": [], "patched": []}

    def job(plain_call: Call, patched_call: Call) -> None:
        found["first"].append(seconds(patched_call))
        both = [("plain", plain_call), ("patched", patched_call)]
        for _ in range(pairs):
            for name, call in both if len(found["plain"]) % 2 == 0 else both[::-1]:
                found[name].append(seconds(call))

    within_runs(structure, [plain], size, lambda call: call())
    for _ in range(runs):
        within_runs(structure, [plain, patched], size, job)
    return found


def ratio_figure(found: dict[str, list[float]]) -> Figure:
    """The median over pairs of patched over plain."""
    return median_figure(np.divide(found["patched"], found["plain"]))


def first_call_figure(found: dict[str, list[float]]) -> Figure:
    """What a run's first patched call takes beyond the median of the later ones in the same run, in seconds."""
    later = np.reshape(found["patched"], (len(found["first"]), -1))
    return t_figure(np.subtract(found["first"], np.median(later, 1)))


def median_figure(values: Sequence[float], level: float = 0.95) -> Figure:
    """The median and, between two of the values, an interval that holds the true one with at least that probability.

    Each value is below the true median with probability one half, whatever the distribution (the sign test turned
    around), so few values suffice and outliers do no harm. Fewer than six values say nothing at 95 %.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    count = len(ordered)
    cut = int(stats.binom.ppf((1 - level) / 2, count, 0.5))  # the end is the value of this rank
    if cut < 1:
        return Figure(float(np.median(ordered)), -np.inf, np.inf, count)
    return Figure(float(np.median(ordered)), float(ordered[cut - 1]), float(ordered[count - cut]), count)
