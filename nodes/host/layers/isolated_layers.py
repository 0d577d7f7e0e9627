"""Convolutions and group norms of UNets and ControlNets that keep people apart while a cast asks them to.

Without a term in force a layer does what it did.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import Upsample
from torch import Tensor, nn

from ....attention.isolation.isolated_convolutions import Kind
from ....attention.isolation.isolated_norms import Layer
from ..model.blocks import unet_of
from .in_force import opaque, terms_now

SCHEMA = "(Tensor onto, Tensor x, int layer) -> Tensor"
PARTS = ("input_blocks", "middle_block", "output_blocks", "out")  # a ControlNet has the first two


@dataclass(frozen=True, eq=False)
class IsolatedLayer:
    """One layer: what it reads, and how it is called without people in it."""

    number: int
    kind: Kind
    plain: Layer

    def __call__(self, x: Tensor) -> Tensor:
        """What the layer makes of x, as the term in force wants it."""
        term = terms_now().convolutions
        return self.plain(x) if term is None else term(self.kind, self.plain, x)


def isolate(patched: Any) -> tuple[IsolatedLayer, ...]:
    """Patch the layers of a model patcher's UNet, which is a clone's own, and return them in order."""
    found = []
    for number, (path, kind) in enumerate(_layers(unet_of(patched.model))):
        name = f"diffusion_model.{path}.forward"
        present = patched.get_model_object(name)
        own = getattr(present, "isolated_layer", None)  # a cast before this one has patched it
        if own is None:
            own = IsolatedLayer(number, kind, present)
            patched.add_object_patch(name, _forward(own))
        found.append(own)
    return tuple(found)


def isolated_control(model: nn.Module) -> nn.Module:
    """A ControlNet's model that shares all weights with the given one and has such layers. The given one stays."""
    kinds = dict(_layers(model))
    return _copied(model, "", {path: (number, kinds[path]) for number, path in enumerate(kinds)})


def _copied(module: nn.Module, path: str, layers: dict[str, tuple[int, Kind]]) -> nn.Module:
    own = copy.copy(module)
    if path in layers:
        own.forward = _forward(IsolatedLayer(*layers[path], module.forward))
        return own
    inside = f"{path}." if path else ""
    own.__dict__["_modules"] = {
        name: _copied(part, inside + name, layers)
        if part is not None and any(layer.startswith(inside + name) for layer in layers)
        else part
        for name, part in module._modules.items()
    }
    return own


def _forward(layer: IsolatedLayer) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            # The graph has the plain layer in it: with no term in force it is what is wanted.
            return KEEP_APART(layer.plain(x), x, layer.number)
        return layer(x)

    forward.isolated_layer = layer
    return forward


def _layers(model: nn.Module) -> Iterator[tuple[str, Kind]]:
    """Path and kind of everything in a UNet that reads more than one cell, attention aside."""
    for part in PARTS:
        for path, module in getattr(model, part, nn.Module()).named_modules(prefix=part):
            if isinstance(module, nn.GroupNorm):
                yield path, Kind()
            elif isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                above = model.get_submodule(path.rpartition(".")[0])
                yield path, Kind(module.kernel_size, module.stride, module.padding, isinstance(above, Upsample))


def _run(onto, x, layer):
    term = terms_now().convolutions
    return (onto.clone() if term is None else term.layers[layer](x)).contiguous()


KEEP_APART = opaque("keep_apart", SCHEMA, _run)
