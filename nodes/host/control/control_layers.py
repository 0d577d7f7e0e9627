"""A ControlNet's model with replacements for its attention layers, beside the one that was given.

A stock ControlNet hands its layers no options that a patch could use. The model here shares all its weights and buffers
with the given one, and has transformer blocks with such options. The given one is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from comfy.ldm.modules.attention import SpatialTransformer
from torch import Tensor, nn

from ..model.blocks import BlockKey
from ..model.slots import Replacement


class _Transformer(SpatialTransformer):
    """A transformer block of a ControlNet, sharing everything with the given one, whose layers have options."""

    def __init__(self, given: SpatialTransformer, options: dict) -> None:
        self.__dict__.update(given.__dict__)
        self.__dict__["_troupe_options"] = options

    def forward(self, x: Tensor, context: Any = None, transformer_options: dict | None = None) -> Tensor:
        return super().forward(x, context, {**(transformer_options or {}), **self._troupe_options})


def with_layers(model: nn.Module, layers: Mapping[BlockKey, Replacement], kind: str = "attn2") -> nn.Module:
    """The ControlNet's model with these replacements of a kind. Blocks that have none stay as they are.

    kind : "attn1" for self-attention, "attn2" for cross-attention
    """
    known = {key[:2] for key in layers}

    def of(block: nn.Module, name: tuple[str, int]) -> nn.Module:
        return _copy(block, lambda layer: _informed(layer, name)) if name in known else block

    def _informed(layer: nn.Module, name: tuple[str, int]) -> nn.Module:
        if type(layer) not in (SpatialTransformer, _Transformer):
            return layer
        present = layer.__dict__.get("_troupe_options", {}).get("patches_replace", {})
        return _Transformer(layer, {"block": name, "patches_replace": {**present, kind: dict(layers)}})

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
