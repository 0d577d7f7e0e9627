"""Sampling runs of the real host that stand still between two calls of the model, so that calls can be taken in turns.

A run is opened by the host's own CFGGuider, with all of its wrappers, on a sampler that evaluates the positive and the
negative prompt once whenever it is asked to. Several runs are open at the same time, one inside the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from .structures import Structure, random_conditioning

Found = TypeVar("Found")
Call = Callable[[], Tensor]
STEPS = 50
CFG = 4.0


@torch.inference_mode()
def within_runs(
    structure: Structure, models: Sequence[Any], size: int, job: Callable[..., Found], images: int = 1
) -> Found:
    """`job(*calls)` with a call for each model, each within a sampling run of its own; what the job returns.

    A call is one evaluation as a sampler makes it, at the next step of the run's schedule: one picture's positive and
    negative rows, and their sum as CFG says. All runs have the same prompts and the same noise.

    size : pixels along a side of the picture
    """
    return _open(structure, list(models), size // 8, job, images, ())


def _open(structure: Structure, models: list, side: int, job: Callable[..., Found], images: int, calls: tuple) -> Found:
    import comfy.samplers

    if not models:
        return job(*calls)
    model, found = models[0], []

    def stand_still(wrapped, x, sigmas, extra_args, callback=None, disable=None):
        call = _Call(model.model, guider.model_patcher, wrapped, x / sigmas[0], sigmas, extra_args)
        found.append(_open(structure, models[1:], side, job, images, (*calls, call)))
        return x

    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(random_conditioning(structure, 1), random_conditioning(structure, 2))
    guider.set_cfg(CFG)
    noise = torch.randn(images, 4, side, side, generator=torch.Generator().manual_seed(3))
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", STEPS)
    guider.sample(
        noise, torch.zeros_like(noise), comfy.samplers.KSAMPLER(stand_still), sigmas, disable_pbar=True, seed=3
    )
    return found[0]


class _Call:
    """The next evaluation of a run; after the last step of its schedule, the last one again."""

    def __init__(self, base: Any, patcher: Any, wrapped: Any, noise: Tensor, sigmas: Tensor, options: dict) -> None:
        self.base, self.patcher, self.wrapped = base, patcher, wrapped
        self.noise, self.sigmas, self.options = noise, sigmas, options
        self.step = 0

    def __call__(self) -> Tensor:
        self.base.current_patcher = self.patcher  # the host keeps one per model, and several runs share this model
        sigma = self.sigmas[min(self.step, STEPS - 1)]
        self.step += 1
        return self.wrapped(self.noise * sigma, sigma.expand(len(self.noise)), **self.options)
