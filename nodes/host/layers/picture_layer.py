"""Behind a block of a joint model: what stands at the block, and then people added to the picture's tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .in_force import opaque, terms_now

KIND = "dit"  # under which ComfyUI keeps what replaces a block
SINGLE = "single_block"
SCHEMA = "(Tensor sequence, int layer, SymInt first) -> Tensor"
UNTOLD = -1  # where the picture begins, to packs that run the blocks without the options that say so
Place = tuple[str, int]
"""(kind of block, its number), as ComfyUI looks a replacement up."""


class PictureLayer:
    """What stands at a block, and then people. torch.compile looks into it: it is kept plain, and holds no cast."""

    def __init__(self, layer: int, single: bool, inner: Callable[[dict, dict], dict] | None) -> None:
        self.layer = layer
        self.single = single
        self.inner = inner

    def __call__(self, args: dict, extra: dict) -> dict:
        out = self.inner(args, extra) if self.inner is not None else extra["original_block"](args)
        first = args.get("transformer_options", {}).get("img_slice", (UNTOLD,))[0] if self.single else 0
        if torch.compiler.is_compiling():
            return {**out, "img": ADD_TO_PICTURE(out["img"], self.layer, first)}
        return {**out, "img": _added(out["img"], self.layer, first)}


def with_picture_layers(options: dict, places: Sequence[Place]) -> dict:
    """Transformer options with a layer behind every place, around what stands there; those given do not change."""
    replaced: dict[str, Any] = options.get("patches_replace", {})
    present = replaced.get(KIND, {})
    layers = {
        place: PictureLayer(number, place[0] == SINGLE, present.get(place)) for number, place in enumerate(places)
    }
    return {**options, "patches_replace": {**replaced, KIND: {**present, **layers}}}


def _added(sequence: Tensor, layer: int, first: int) -> Tensor:
    for term in terms_now().pictures:
        sequence = term(sequence, layer, first)
    return sequence


def _run(sequence: Tensor, layer: int, first: int) -> Tensor:
    out = _added(sequence, layer, first).contiguous()
    return out.clone() if out.data_ptr() == sequence.data_ptr() else out  # an operation may not return its argument


ADD_TO_PICTURE = opaque("add_to_picture", SCHEMA, _run)
