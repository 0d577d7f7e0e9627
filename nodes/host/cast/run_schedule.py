"""What holds in a step of a sampling run: the windows of all effects as noise levels, compared once per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ....attention.recipes.schedule import active_at, sigma_windows, step_number
from ..effects.effect import Effect, StepState

ALWAYS = (0.0, 1.0)


class RunSchedule:
    """The schedule of one cast's effects in one sampling run."""

    def __init__(self, effects: Sequence[Effect], model_sampling: Any) -> None:
        self._effects = tuple(effects)
        windows = [window for effect in effects for window in effect.windows]
        self._sigmas = None
        if any(window != ALWAYS for window in windows):
            self._sigmas = sigma_windows(windows, model_sampling.percent_to_sigma)
        self._counts = any(effect.first_steps for effect in effects)
        self._always = self._states([True] * len(windows), None)

    def states(self, timestep: Tensor, sigmas: Tensor | None) -> tuple[StepState, ...]:
        """What holds for each effect at a noise level.

        timestep : [B] the noise level of every picture, all the same
        sigmas   : [steps + 1] of the whole run, where the sampler tells them
        A cast that acts all the time asks the device for nothing.
        """
        if self._sigmas is None and not self._counts:
            return self._always
        sigma = float(timestep.max())
        inside = active_at(sigma, self._sigmas) if self._sigmas else [True] * self._windows
        number = step_number(sigma, sigmas.tolist()) if self._counts and sigmas is not None else None
        return self._states(inside, number)

    @property
    def _windows(self) -> int:
        return sum(len(effect.windows) for effect in self._effects)

    def _states(self, inside: Sequence[bool], number: int | None) -> tuple[StepState, ...]:
        states, first = [], 0
        for effect in self._effects:
            acting = tuple(inside[first : first + len(effect.windows)])
            states.append(StepState(acting, number is not None and number < effect.first_steps))
            first += len(acting)
        return tuple(states)
