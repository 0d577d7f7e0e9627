"""What a file of EVA02-CLIP holds: the sizes and weights of its picture half, read from its keys and shapes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from .eva_vision import AFTER, HEAD, EvaShape, EvaVision
from .parts import fault_of, shown

SIGN = "blocks.0.attn.inner_attn_ln.weight"  # no other encoder has this key and those of SwiGLU
PREFIXES = ("visual.", "")  # of a whole CLIP, and of its picture half alone


class EvaFormatError(ValueError):
    """The file is not an EVA02-CLIP that this version reads."""


def is_eva(keys: Iterable[str]) -> bool:
    """Whether the names of a file's tensors are those of EVA02-CLIP."""
    names = set(keys)
    return any(prefix + SIGN in names for prefix in PREFIXES)


def read_eva(state: Mapping[str, Any]) -> tuple[EvaShape, dict[str, Tensor]]:
    """Sizes of the encoder and its weights, by the names of attention.adapters.eva_vision.EvaVision.

    Angles of its rotary positions that the file holds are left out: they follow from the sizes.
    Raises EvaFormatError with a sentence for anything else, or for shapes that contradict each other.
    """
    weights = _visual(state)
    shape = _shape(weights)
    with torch.device("meta"):
        expected = {key: tuple(value.shape) for key, value in EvaVision(shape).state_dict().items()}
    odd = [key for key in {**expected, **weights} if (key in expected) != (key in weights)]
    if odd:
        verb = "lacks" if odd[0] in expected else "also holds"
        raise EvaFormatError(f"it looks like EVA02-CLIP, but it {verb} {shown(odd[0])}. Download it again.")
    for key, wanted in expected.items():
        if tuple(weights[key].shape) != wanted or not weights[key].is_floating_point():
            raise EvaFormatError(
                f"its {key} is {list(weights[key].shape)} of {weights[key].dtype}, and an encoder of these sizes has "
                f"{list(wanted)} of floating point. Download it again."
            )
    return shape, weights


def check_eva_numbers(weights: Mapping[str, Tensor]) -> None:
    """Look at every number, once. Raises EvaFormatError with the name of the first unsound tensor."""
    fault = fault_of(weights)
    if fault:
        raise EvaFormatError(fault)


def _visual(state: Mapping[str, Any]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if prefix + SIGN in state:
            own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            return {key: v for key, v in own.items() if isinstance(v, Tensor) and ".rope." not in f".{key}"}
    raise EvaFormatError(
        "it is no EVA02-CLIP, whose picture half has the key visual." + SIGN + ". Choose EVA02_CLIP_L_336_psz14_s6B.pt."
    )


def _shape(weights: Mapping[str, Tensor]) -> EvaShape:
    def of(key: str, dimensions: int) -> tuple[int, ...]:
        found = weights.get(key)
        if found is None or found.ndim != dimensions or 0 in found.shape:
            what = "lacks it" if found is None else f"has it as {list(found.shape)}"
            raise EvaFormatError(
                f"an EVA02-CLIP has {key} with {dimensions} dimensions, and it {what}. Download it again."
            )
        return tuple(found.shape)

    width, _, patch, _ = of("patch_embed.proj.weight", 4)
    cells = math.isqrt(of("pos_embed", 3)[1] - 1)
    depth = len({key.split(".")[1] for key in weights if key.startswith("blocks.")})
    hidden, outputs = of("blocks.0.mlp.w1.weight", 2)[0], of("head.weight", 2)[0]
    if width % HEAD or depth < AFTER[-1] or not cells:
        raise EvaFormatError(
            f"it is an EVA02-CLIP of {depth} blocks of width {width}, and PuLID reads one of at least {AFTER[-1]} "
            f"blocks whose width is a multiple of {HEAD}: EVA02_CLIP_L_336_psz14_s6B.pt."
        )
    return EvaShape(width, depth, hidden, outputs, patch, cells)
