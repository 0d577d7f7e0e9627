"""Who acts in a step of a sampling run: the cast's windows as noise levels, compared once per step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ....attention.schedule import active_at, sigma_windows, step_number
from .cast_run import CastPatch

ALWAYS = (0.0, 1.0)


@dataclass(frozen=True)
class Moment:
    """What holds in one evaluation of the conditionings.

    active   : [I] which members act; a member of strength 0 never does
    boosted  : whether this is one of the steps that the released gate boosts
    isolated : whether people are kept apart in self-attention
    photos   : whether they attend to their reference photos
    """

    active: tuple[bool, ...]
    boosted: bool
    isolated: bool = False
    photos: bool = False


class RunSchedule:
    """The schedule of one cast in one sampling run."""

    def __init__(self, patch: CastPatch, model_sampling: Any) -> None:
        gate, isolation, references = patch.recipe.gate, patch.recipe.isolation, patch.recipe.references
        # In this order: members, isolation, photos.
        self._acting = (*(strength > 0 for strength in patch.strengths), isolation.eta < 1, bool(patch.photos))
        self._boosted_steps = gate.boost_steps if gate.released and gate.boost > 0 else 0
        isolating = (isolation.start, isolation.end) if isolation.eta < 1 else ALWAYS
        seeing = (references.start, references.end) if patch.photos else ALWAYS
        windows = (*patch.windows, isolating, seeing)
        self._windows = None
        if any(window != ALWAYS for window in windows):
            self._windows = sigma_windows(windows, model_sampling.percent_to_sigma)

    def moment(self, timestep: Tensor, sigmas: Tensor | None) -> Moment:
        """What holds at a noise level.

        timestep : [B] the noise level of every picture, all the same
        sigmas   : [steps + 1] of the whole run, where the sampler tells them
        A cast that acts all the time asks the device for nothing.
        """
        if self._windows is None and not self._boosted_steps:
            return self._of(self._acting, False)
        sigma = float(timestep.max())
        inside = active_at(sigma, self._windows) if self._windows else (True,) * len(self._acting)
        active = tuple(acting and within for acting, within in zip(self._acting, inside, strict=True))
        boosted = sigmas is not None and step_number(sigma, sigmas.tolist()) < self._boosted_steps
        return self._of(active, boosted)

    @staticmethod
    def _of(active: tuple[bool, ...], boosted: bool) -> Moment:
        return Moment(active[:-2], boosted, *active[-2:])
