"""Let a cast act in a ControlNet's own cross-attention, with the keys and values of the UNet's matching layers.

People who are kept apart everywhere are kept apart there as well. A stock ControlNet attends to the text alone. For one
sampling run it is stood in for by a copy that shares all its weights and buffers (control_layers.py). The ControlNet
that was given is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comfy.cldm.cldm import ControlNet as ControlModel
from torch import Tensor

from ..cast.blocks import BlockKey, CrossAttentionBlock
from ..cast.cast_layer import CastLayer, in_force
from ..cast.cast_term import CastTerm
from ..cast.slots import Replacement, wrap_layers
from ..self_attention.self_layer import SelfLayer
from ..self_attention.self_terms import SelfTerm
from ..self_attention.severed_layers import severed_control
from .control_layers import with_layers
from .identity_net import IdentityNet
from .regional_control import RegionalControl

MakeTerms = Callable[[dict, Tensor], tuple[CastTerm | None, SelfTerm | None]]
"""(transformer options, the ControlNet's input) -> what a cast adds in this call and keeps apart, None for nothing."""


class ReachingControl:
    """Stands in for a ControlNet in the conditionings of one run; everything but its output is the ControlNet's own."""

    def __init__(self, control: Any, blocks: Sequence[CrossAttentionBlock], makers: tuple[MakeTerms, ...]) -> None:
        self._given = control
        self._blocks = blocks
        self._makers = makers
        self._own: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._given, name)

    def joined_by(self, maker: MakeTerms) -> ReachingControl:
        """The same with one more cast."""
        return ReachingControl(self._given, self._blocks, (*self._makers, maker))

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The residuals, as ComfyUI asks a ControlNet for them."""
        if self._own is None:  # not before the run has begun: it sets up the ControlNet itself
            self._own = self._stand_in()
        made = [make(transformer_options, x_noisy) for make in self._makers]
        terms = tuple(term for term, _ in made if term is not None)
        own = next((term for _, term in reversed(made) if term is not None), None)
        with in_force(terms, own):
            return self._own.get_control(x_noisy, t, cond, batched_number, transformer_options)

    def _stand_in(self) -> Any:
        own = copy.copy(self._given)
        if own.previous_controlnet is not None:
            own.previous_controlnet = reaching(own.previous_controlnet, self._blocks, self._makers)
        if isinstance(own, RegionalControl):
            own.inner = reaching(own.inner, self._blocks, self._makers)
        if isinstance(own, IdentityNet):  # it puts layers of its own in the place of cross-attention
            own.inner = copy.copy(own.inner)
            own.inner.control_model = self._apart(own.inner.control_model)
        model = getattr(own, "control_model", None)
        if isinstance(model, ControlModel):  # blocks that the UNet has no match for keep to the text
            own.control_model = with_layers(self._apart(model), self._layers(CastLayer, "attn2"))
        return own

    def _apart(self, model: ControlModel) -> ControlModel:
        """The ControlNet's model with layers that keep people apart while a cast asks them to."""
        return with_layers(severed_control(model), self._layers(SelfLayer, "attn1"), "attn1")

    def _layers(self, layer: Callable[[int, Replacement], Replacement], kind: str) -> Mapping[BlockKey, Replacement]:
        return wrap_layers({}, [block.key for block in self._blocks], layer, kind)["patches_replace"][kind]


def reaching(control: Any, blocks: Sequence[CrossAttentionBlock], makers: tuple[MakeTerms, ...]) -> ReachingControl:
    """A ControlNet that casts reach into; `makers` say what they add."""
    if isinstance(control, ReachingControl):
        for maker in makers:
            control = control.joined_by(maker)
        return control
    return ReachingControl(control, blocks, makers)


class ReachRun:
    """The stand-ins of one run: the same one for the same ControlNet, so that conditionings still share a batch."""

    def __init__(self, blocks: Sequence[CrossAttentionBlock], maker: MakeTerms) -> None:
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
