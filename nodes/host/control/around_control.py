"""What stands around a ControlNet of the host and is one itself: everything but its answer goes to the inner one."""

from __future__ import annotations

from typing import Any

import torch
from comfy.controlnet import ControlBase
from torch import Tensor

from ..model.option_keys import INPUT, STEP
from ..model.rows import Area
from ..model.tiles import call_of


class AroundControl(ControlBase):
    """Stands around a ControlNet of the host.

    inner : the ControlNet, with its hint set
    """

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def pre_run(self, model: Any, percent_to_timestep_function: Any) -> None:
        """Before a sampling run."""
        super().pre_run(model, percent_to_timestep_function)
        self.inner.pre_run(model, percent_to_timestep_function)

    def cleanup(self) -> None:
        """After a sampling run."""
        super().cleanup()
        self.inner.cleanup()

    def get_models(self) -> list:
        """What has to be in memory."""
        return [*super().get_models(), *self.inner.get_models()]

    def get_extra_hooks(self) -> list:
        """Hooks of the whole chain."""
        return [*super().get_extra_hooks(), *self.inner.get_extra_hooks()]

    def inference_memory_requirements(self, dtype: torch.dtype) -> float:
        """Bytes beside the model."""
        return super().inference_memory_requirements(dtype) + self.inner.inference_memory_requirements(dtype)


def crops_of(x: Tensor, options: dict) -> list[tuple[tuple[int, int], Area | None]]:
    """Of each group of rows in a call, the size of the whole latent picture and the crop of it that they see.

    x : [B, C, h, w] what the ControlNet is called with; without a cast on the model it is taken for the whole picture
    """
    if STEP not in options:
        return [((x.shape[-2], x.shape[-1]), None)]
    step = options[STEP]
    rows = step.of(options["cond_or_uncond"], options.get("uuids", ()))
    evaluated = options.get(INPUT)
    call = step.call(rows, x, evaluated) or call_of(step, rows, x, evaluated, None)
    return [(step.latent, row.area) for row in call.rows]
