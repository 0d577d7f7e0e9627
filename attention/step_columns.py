"""The steps of a sampling run in a few columns, so that what is kept of each step stays bounded."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

MOST_STEPS = 16  # columns; more steps share them with their neighbours


def step_column(sigma: Tensor, sigmas: Tensor) -> Tensor:
    """The column of the step that a noise level belongs to, int64 [1], found on the device as `schedule.step_number`.

    sigma  : [B] the noise level of every picture
    sigmas : [steps + 1] of the run, falling
    """
    steps = len(sigmas) - 1
    number = (sigmas.to(sigma.device) >= sigma.max() * (1 - 1e-6)).sum() - 1
    return (number.clamp(0, steps - 1) * min(steps, MOST_STEPS) // steps)[None]


def step_spans(steps: int) -> tuple[tuple[int, int], ...]:
    """The first and the last step of each column, from 1."""
    columns = min(steps, MOST_STEPS)
    firsts = [-(-column * steps // columns) for column in range(columns + 1)]
    return tuple((first + 1, last) for first, last in pairwise(firsts))
