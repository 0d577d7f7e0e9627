"""Let a cast act in a ControlNet's own cross-attention, with the keys and values of the UNet's matching layers.

A stock ControlNet attends to the text alone. For one sampling run it is stood in for by a copy that shares all its
weights and buffers (control_layers.py). The ControlNet that was given is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from comfy.cldm.cldm import ControlNet as ControlModel
from torch import Tensor

from ..cast.blocks import CrossAttentionBlock
from ..cast.cast_layer import CastLayer, in_force
from ..cast.cast_term import CastTerm
from ..cast.slots import wrap_layers
from .control_layers import with_layers
from .regional_control import RegionalControl

MakeTerm = Callable[[dict, Tensor], CastTerm | None]
"""(transformer options, the ControlNet's input) -> what a cast adds in this call, None for nothing."""


class ReachingControl:
    """Stands in for a ControlNet in the conditionings of one run; everything but its output is the ControlNet's own."""

    def __init__(self, control: Any, blocks: Sequence[CrossAttentionBlock], makers: tuple[MakeTerm, ...]) -> None:
        self._given = control
        self._blocks = blocks
        self._makers = makers
        self._own: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._given, name)

    def joined_by(self, maker: MakeTerm) -> ReachingControl:
        """The same with one more cast."""
        return ReachingControl(self._given, self._blocks, (*self._makers, maker))

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The residuals, as ComfyUI asks a ControlNet for them."""
        if self._own is None:  # not before the run has begun: it sets up the ControlNet itself
            self._own = self._stand_in()
        terms = tuple(term for make in self._makers if (term := make(transformer_options, x_noisy)) is not None)
        with in_force(terms):
            return self._own.get_control(x_noisy, t, cond, batched_number, transformer_options)

    def _stand_in(self) -> Any:
        own = copy.copy(self._given)
        if own.previous_controlnet is not None:
            own.previous_controlnet = reaching(own.previous_controlnet, self._blocks, self._makers)
        if isinstance(own, RegionalControl):
            own.inner = reaching(own.inner, self._blocks, self._makers)
        model = getattr(own, "control_model", None)
        if isinstance(model, ControlModel):
            layers = wrap_layers({}, [block.key for block in self._blocks], CastLayer)["patches_replace"]["attn2"]
            own.control_model = with_layers(model, layers)  # blocks that the UNet has no match for keep to the text
        return own


def reaching(control: Any, blocks: Sequence[CrossAttentionBlock], makers: tuple[MakeTerm, ...]) -> ReachingControl:
    """A ControlNet that casts reach into; `makers` say what they add."""
    if isinstance(control, ReachingControl):
        for maker in makers:
            control = control.joined_by(maker)
        return control
    return ReachingControl(control, blocks, makers)


class ReachRun:
    """The stand-ins of one run: the same one for the same ControlNet, so that conditionings still share a batch."""

    def __init__(self, blocks: Sequence[CrossAttentionBlock], maker: MakeTerm) -> None:
        self._blocks = blocks
        self._maker = maker
        self._made: dict[int, tuple[Any, ReachingControl]] = {}

    def close(self) -> None:
        """Let go of the stand-ins and what they hold."""
        self._made.clear()

    def conds(self, conds: Sequence[list[dict] | None]) -> list[list[dict] | None]:
        """Conditionings with a stand-in for every ControlNet in them."""
        return [None if listed is None else [self._cond(cond) for cond in listed] for listed in conds]

    def _cond(self, cond: dict) -> dict:
        control = cond.get("control")
        if control is None:
            return cond
        if id(control) not in self._made:
            self._made[id(control)] = control, reaching(control, self._blocks, (self._maker,))
        return {**cond, "control": self._made[id(control)][1]}
