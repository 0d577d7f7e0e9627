"""ControlNets for models of one attention: people are routed in their attention as in the model's.

ComfyUI gives their blocks no options in which attention could be answered. For one run a ControlNet is stood in for by
a copy that shares all weights, whose blocks get them. What it attends over is [text, picture]: no photos, the members'
prompts at the end of the text, tokens of a union's kind of control before it.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ..layers.joint_attention import PLACE, answer
from ..model.joint_stream import Forward, JointFamily

log = logging.getLogger(__name__)


class RoutedControls:
    """The ControlNets of one run, for its family."""

    def __init__(self, family: JointFamily) -> None:
        self._family = family
        self._said = False

    def rebuild(self, own: Any) -> None:
        """Give a copy of a ControlNet blocks whose attention is answered; one of unknown layout stays as it is."""
        network = getattr(own, "control_model", None)
        if network is None:  # it stands around another one
            return
        names = self._family.control_blocks(network)
        if names:
            own.control_model = _with_place(network, names)
        elif not self._said:  # once in a run
            self._said = True
            log.warning(
                "Troupe: the ControlNet %s attends to the whole picture by itself, and how is not known, so what it "
                "says may carry a trace of one person to another. End it early, or take another ControlNet.",
                type(network).__name__,
            )


def forward_of(x: torch.Tensor, asked: Mapping[str, Any], own: tuple[int, ...]) -> Forward:
    """What a ControlNet attends over in a call.

    asked : "cond", its conditioning, which may hold a text for ControlNets alone without anybody's prompt; "control",
            the ControlNet
    own   : [M] tokens of each member's prompt
    """
    cond, control = asked["cond"], asked["control"]
    given = cond.get("crossattn_controlnet")
    text = (cond["c_crossattn"] if given is None else given).shape[1]
    if getattr(getattr(control, "control_model", None), "controlnet_mode_embedder", None) is not None:
        text += len(control.extra_args.get("control_type") or ())
    return Forward(tuple(x.shape[-2:]), text, own if given is None else (0,) * len(own), (), ())


def _with_place(network: nn.Module, names: tuple[str, ...]) -> nn.Module:
    lists = {name: nn.ModuleList([_informed(block) for block in getattr(network, name)]) for name in names}
    return _copy(network, lists)


def _informed(block: nn.Module) -> nn.Module:
    own = _copy(block, {})

    def forward(*args: Any, transformer_options: dict | None = None, **kwargs: Any) -> Any:
        return block.forward(*args, **kwargs, transformer_options={**(transformer_options or {}), PLACE: answer})

    own.forward = forward
    return own


def _copy(module: nn.Module, parts: Mapping[str, nn.Module]) -> nn.Module:
    """A module that shares everything with another but these children."""
    own = copy.copy(module)
    own.__dict__["_modules"] = {**module._modules, **parts}
    return own
