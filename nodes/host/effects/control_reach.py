"""Effect: a cast in a ControlNet's own attention, with the keys and values of the UNet's matching layers.

People who are kept apart everywhere are kept apart there as well. A stock ControlNet attends to the text alone. For one
sampling run it is stood in for by a copy that shares all its weights and buffers (control/control_layers.py). The
ControlNet that was given is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from comfy.cldm.cldm import ControlNet as ControlModel
from torch import Tensor

from ..control.control_layers import with_layers
from ..control.identity_net import IdentityNet
from ..control.regional_control import RegionalControl
from ..layers.cross_attention_layer import CrossAttentionLayer
from ..layers.in_force import Terms, in_force, joined
from ..layers.isolated_layers import isolated_control
from ..layers.self_attention_layer import SelfAttentionLayer
from ..model.blocks import BlockKey, CrossAttentionBlock
from ..model.slots import Replacement, wrap_layers
from .effect import Effect, EffectRun, Given, Session

MakeTerms = Callable[[dict, Tensor, Mapping[str, Any]], Terms]
"""(transformer options, the ControlNet's input, {"cond", "control"}) -> what a cast has to say in this call."""
Rebuild = Callable[[Any], None]
"""Gives a copy of a ControlNet, which shares everything with it, layers that a cast can answer."""


@dataclass(frozen=True, eq=False)
class ReachIntoControl(Effect):
    """Casts act in ControlNets as well."""

    blocks: tuple[CrossAttentionBlock, ...]

    @classmethod
    def of(cls, given: Given) -> ReachIntoControl | None:
        """For recipes whose identities reach into ControlNets, and where people are kept apart in everything."""
        recipe = given.recipe
        return cls(given.blocks) if recipe.reach or recipe.isolation.covers_everything else None

    def begin(self, session: Session) -> ReachRun:
        """Its stand-ins of a run."""
        return ReachRun(partial(_with_own_layers, self.blocks), session.terms_in_control)


class ReachingControl:
    """Stands in for a ControlNet in the conditionings of one run; everything but its output is the ControlNet's own."""

    def __init__(self, control: Any, rebuild: Rebuild, makers: tuple[MakeTerms, ...]) -> None:
        self._given = control
        self._rebuild = rebuild
        self._makers = makers
        self._own: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._given, name)

    def joined_by(self, maker: MakeTerms) -> ReachingControl:
        """The same with one more cast."""
        return ReachingControl(self._given, self._rebuild, (*self._makers, maker))

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The residuals, as ComfyUI asks a ControlNet for them."""
        if self._own is None:  # not before the run has begun: it sets up the ControlNet itself
            self._own = self._stand_in()
        asked = {"cond": cond, "control": self._own}
        with in_force(joined([make(transformer_options, x_noisy, asked) for make in self._makers])):
            return self._own.get_control(x_noisy, t, cond, batched_number, transformer_options)

    def _stand_in(self) -> Any:
        own = copy.copy(self._given)
        if own.previous_controlnet is not None:
            own.previous_controlnet = reaching(own.previous_controlnet, self._rebuild, self._makers)
        if isinstance(own, RegionalControl):
            own.inner = reaching(own.inner, self._rebuild, self._makers)
        self._rebuild(own)
        return own


def _with_own_layers(blocks: Sequence[CrossAttentionBlock], own: Any) -> None:
    """Layers in a UNet's ControlNet; blocks that the UNet has no match for keep to the text."""

    def apart(model: ControlModel) -> ControlModel:
        """With layers that keep people apart while a cast asks them to."""
        return with_layers(isolated_control(model), layers(SelfAttentionLayer, "attn1"), "attn1")

    def layers(layer: Callable[[int, Replacement], Replacement], kind: str) -> Mapping[BlockKey, Replacement]:
        return wrap_layers({}, [block.key for block in blocks], layer, kind)["patches_replace"][kind]

    if isinstance(own, IdentityNet):  # it puts layers of its own in the place of cross-attention
        own.inner = copy.copy(own.inner)
        own.inner.control_model = apart(own.inner.control_model)
    model = getattr(own, "control_model", None)
    if isinstance(model, ControlModel):
        own.control_model = with_layers(apart(model), layers(CrossAttentionLayer, "attn2"))


def reaching(control: Any, rebuild: Rebuild, makers: tuple[MakeTerms, ...]) -> ReachingControl:
    """A ControlNet that casts reach into; `makers` say what they add."""
    if isinstance(control, ReachingControl):
        for maker in makers:
            control = control.joined_by(maker)
        return control
    return ReachingControl(control, rebuild, makers)


class ReachRun(EffectRun):
    """The stand-ins of one run: the same one for the same ControlNet, so that conditionings still share a batch."""

    def __init__(self, rebuild: Rebuild, maker: MakeTerms) -> None:
        super().__init__()
        self._rebuild = rebuild
        self._maker = maker

    def conds(self, conds: Sequence[list[dict] | None]) -> list[list[dict] | None]:
        """Conditionings with a stand-in for every ControlNet in them."""
        return [None if listed is None else [self._cond(cond) for cond in listed] for listed in conds]

    def _cond(self, cond: dict) -> dict:
        control = cond.get("control")
        if control is None:
            return cond
        # The ControlNet is kept with its stand-in, so that its id stays its own.
        made = self.kept(id(control), lambda: (control, reaching(control, self._rebuild, (self._maker,))))
        return {**cond, "control": made[1]}
