"""When members act: windows in the schedule, decided once for each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Window = tuple[float, float]
"""Start and end, in fractions of the schedule."""


def shared_window(one: Window, other: Window) -> Window:
    """The part of the schedule that lies in both."""
    return max(one[0], other[0]), min(one[1], other[1])


def sigma_windows(windows: Sequence[Window], to_sigma: Callable[[float], float]) -> tuple[tuple[float, float], ...]:
    """Windows as noise levels (highest, lowest), which work with any sampler and any number of steps.

    to_sigma : the model's noise level at a fraction of the schedule, falling
    """
    return tuple((float(to_sigma(start)), float(to_sigma(end))) for start, end in windows)


def active_at(sigma: float, windows: Sequence[tuple[float, float]]) -> tuple[bool, ...]:
    """Which windows hold a noise level, both ends included, as ComfyUI holds its own conditioning ranges."""
    return tuple(low <= sigma <= high for high, low in windows)


def step_number(sigma: float, sigmas: Sequence[float]) -> int:
    """The number of the step that begins at a noise level, or that a sampler's inner evaluation at it belongs to.

    sigmas : of all steps, falling
    """
    return max(0, sum(level >= sigma * (1 - 1e-6) for level in sigmas) - 1)
