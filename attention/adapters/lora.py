"""The LoRA for the model itself that FaceID files carry beside their adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from .parts import AGAIN, LORA, AdapterFormatError


@dataclass(frozen=True, eq=False)
class LoraPair:
    """One low-rank change: weight + up @ down.

    layer : number of the transformer block, in the order of adapter files
    cross : of its cross-attention, else of its self-attention
    part  : "q", "k", "v" or "out"
    down  : [rank, inputs]
    up    : [outputs, rank]
    """

    layer: int
    cross: bool
    part: str
    down: Tensor = field(repr=False)
    up: Tensor = field(repr=False)


def lora_pairs(layers: Mapping[str, Tensor], count: int) -> tuple[LoraPair, ...]:
    """All pairs in an `ip_adapter` part; processors are numbered self-attention, cross-attention, block by block.

    count : transformer blocks of the adapter
    Raises AdapterFormatError when half of a pair is missing, ranks differ, or a number is beyond the last layer.
    """
    found: dict[tuple[int, str], dict[str, Tensor]] = {}
    for key, tensor in layers.items():
        match = LORA.match(key)
        if match:
            found.setdefault((int(match[1]), match[2]), {})[match[3]] = tensor
    pairs = []
    for (number, part), halves in sorted(found.items()):
        down, up = halves.get("down"), halves.get("up")
        if not _fit(down, up) or number >= 2 * count:
            raise AdapterFormatError(
                f"the LoRA inside it is broken at {number}.to_{part}_lora: it needs an up and a down matrix of one "
                f"rank, for a layer below {2 * count}. {AGAIN}"
            )
        pairs.append(LoraPair(number // 2, number % 2 == 1, part, down, up))
    return tuple(pairs)


def _fit(down: Tensor | None, up: Tensor | None) -> bool:
    if down is None or up is None or down.ndim != 2 or up.ndim != 2:
        return False
    return down.shape[0] == up.shape[1] and 0 not in (*down.shape, *up.shape)
