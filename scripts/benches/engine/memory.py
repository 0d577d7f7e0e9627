"""Accelerator memory of a sampling run with a cast, beyond the same run without."""

from __future__ import annotations

import gc
from typing import Any

import torch

from ...figures.verdict import Figure
from .rigs import Rig
from .runs import Call, within_runs

REPEATS = 3
CALLS = 2  # the first, which makes the run's caches, and one that uses them


def extra_figure(rig: Rig, patched: Any) -> Figure:
    """Peak of a run of the patched model over that of the unpatched one, megabytes, the worst of a few.

    The adapter's weights, which the host loads and evicts like any model's, are taken out of both.
    """
    extra = [(peak(rig, patched) - peak(rig, rig.model)) / 1e6 for _ in range(REPEATS)]
    return Figure(max(extra), min(extra), max(extra), len(extra))


def peak(rig: Rig, model: Any) -> int:
    """The most bytes that were allocated during a run, without the adapter's weights."""

    def job(call: Call) -> int:
        for _ in range(CALLS):
            call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - on_the_device(rig)

    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return within_runs(rig.shape.structure, [model], rig.shape.size, job)


def on_the_device(rig: Rig) -> int:
    """Bytes of the adapter's weights that are on the accelerator now."""
    return sum(weight.nbytes for weight in rig.adapter.module.parameters() if weight.is_cuda)


def adapter_figure(rig: Rig) -> Figure:
    """Megabytes of the adapter's weights, wherever they are."""
    size = sum(weight.nbytes for weight in rig.adapter.module.parameters()) / 1e6
    return Figure(size, size, size, 1)
