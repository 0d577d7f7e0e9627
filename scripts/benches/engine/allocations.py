"""How much memory tensors on the CPU take at most during a call, counted at each allocation and not by sampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile


def allocated_peak(call: Callable[[], Any]) -> int:
    """The most bytes that tensors made by a call take together, what it returns included."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as watched:
        kept = call()
    changes = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    del kept
    now = most = 0
    for change in sorted(changes, key=lambda event: event.start_ns()):
        now += change.nbytes()
        most = max(most, now)
    return most
