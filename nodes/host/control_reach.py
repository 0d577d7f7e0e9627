"""Let a cast act in a ControlNet's own cross-attention, with the keys and values of the UNet's matching layers.

A stock ControlNet attends to the text alone, and hands its layers no options that a patch could use. For one sampling
run it is therefore stood in for by a copy that shares all its weights and buffers, with transformer blocks that have
such options. The ControlNet that was given is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from comfy.cldm.cldm import ControlNet as ControlModel
from comfy.ldm.modules.attention import SpatialTransformer
from torch import Tensor, nn

from .blocks import CrossAttentionBlock
from .cast_layer import CastLayer, in_force
from .cast_term import CastTerm
from .regional_control import RegionalControl
from .slots import wrap_layers

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
            own.control_model = _with_options(model, self._blocks)
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


class _Transformer(SpatialTransformer):
    """A transformer block of a ControlNet, sharing everything with the given one, whose layers have options."""

    def __init__(self, given: SpatialTransformer, options: dict) -> None:
        self.__dict__.update(given.__dict__)
        self.__dict__["_troupe_options"] = options

    def forward(self, x: Tensor, context: Any = None, transformer_options: dict | None = None) -> Tensor:
        return super().forward(x, context, {**(transformer_options or {}), **self._troupe_options})


def _with_options(model: ControlModel, blocks: Sequence[CrossAttentionBlock]) -> nn.Module:
    """The ControlNet's model with options for its layers. Blocks that the UNet has no match for keep to the text."""
    replaced = wrap_layers({}, [block.key for block in blocks], CastLayer)["patches_replace"]
    known = {block.key[:2] for block in blocks}

    def of(block: nn.Module, name: tuple[str, int]) -> nn.Module:
        return _copy(block, lambda layer: _informed(layer, name)) if name in known else block

    def _informed(layer: nn.Module, name: tuple[str, int]) -> nn.Module:
        if type(layer) is not SpatialTransformer:
            return layer
        return _Transformer(layer, {"block": name, "patches_replace": replaced})

    own = _copy(model, lambda part: part)
    numbers = iter(range(len(model.input_blocks)))
    own._modules["input_blocks"] = _copy(model.input_blocks, lambda part: of(part, ("input", next(numbers))))
    own._modules["middle_block"] = of(model.middle_block, ("middle", 0))
    return own


def _copy(module: nn.Module, child: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A module that shares everything with another but the list of its children."""
    own = copy.copy(module)
    own.__dict__["_modules"] = {name: child(part) for name, part in module._modules.items()}
    return own
