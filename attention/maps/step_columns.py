"""The steps of a sampling run in a few columns, so that what is kept of each step stays bounded."""

from __future__ import annotations

from torch import Tensor

MOST_STEPS = 16  # columns; of more steps, two or more neighbours share one


def column_count(steps: int) -> int:
    """How many columns a run of so many steps has."""
    return -(-steps // _each(steps))


def step_column(sigma: Tensor, sigmas: Tensor) -> Tensor:
    """The column of the step that a noise level belongs to, int64 [1], found on the device as `schedule.step_number`.

    sigma  : [B] the noise level of every picture
    sigmas : [steps + 1] of the run, falling
    """
    steps = len(sigmas) - 1
    number = (sigmas.to(sigma.device) >= sigma.max() * (1 - 1e-6)).sum() - 1
    return (number.clamp(0, steps - 1) // _each(steps))[None]


def step_spans(steps: int) -> tuple[tuple[int, int], ...]:
    """The first and the last step of each column, from 1."""
    each = _each(steps)
    return tuple((first + 1, min(first + each, steps)) for first in range(0, steps, each))


def _each(steps: int) -> int:
    """Steps in a column."""
    return -(-steps // MOST_STEPS)
