"""PuLID for FLUX.1: cross-attentions by which picture tokens read a person behind some of the model's blocks.

(PuLID, arXiv 2404.16022, and the layout of the files it published for FLUX.1, versions 0.9.0 and 0.9.1.) With N a layer
norm, x the tokens of the picture behind a block and t the person's tokens:
    x + strength * O softmax(Q N2(x) . K N1(t) / sqrt(128)) V N1(t)
Built with an `operations` argument, as attention.adapters.projections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from .parts import AGAIN, AdapterFormatError, first_of
from .spec import AdapterSpec

HEAD = 128  # numbers per head in every published file
CROSSING = re.compile(r"(\d+)\.(norm1\.weight|norm1\.bias|norm2\.weight|norm2\.bias|to_q\.weight|to_out\.weight)$")
KEYS_VALUES = re.compile(r"(\d+)\.to_kv\.weight$")
Maps = tuple[Tensor, ...]


class PictureCrossAttention(nn.Module):
    """One of them, without its maps to keys and values, which every adapter has."""

    def __init__(self, spec: AdapterSpec, width: int, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.norm1 = operations.LayerNorm(spec.cross_width, dtype=dtype)
        self.norm2 = operations.LayerNorm(spec.picture_width, dtype=dtype)
        self.to_q = operations.Linear(spec.picture_width, width, bias=False, dtype=dtype)
        self.to_out = operations.Linear(width, spec.picture_width, bias=False, dtype=dtype)

    def forward(self, rows: Tensor, keys: Tensor, values: Tensor, counts: Sequence[int]) -> Tensor:
        """What rows [R, picture width] read of people's keys and values [S, T, width]: [R, picture width].

        counts : how many of the rows in turn read each of the S; R together
        """
        q = self.to_q(self.norm2(rows))
        people = zip(q.split(list(counts)), keys, values, strict=False)
        return self.to_out(torch.cat([self._read(*person) for person in people if len(person[0])]))

    def _read(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """One person's: q [R, width], k and v [T, width]."""
        parts = (
            part.unflatten(-1, (self.heads, HEAD)).transpose(0, 1)[None] for part in (q, k, v)
        )  # [1, heads, R, 128]
        return scaled_dot_product_attention(*parts)[0].transpose(0, 1).flatten(1)


def has_crossings(layers: Iterable[str]) -> bool:
    """Whether the layers of a file are these."""
    return any(CROSSING.match(key) or KEYS_VALUES.match(key) for key in layers)


def crossing_maps(layers: Mapping[str, Tensor]) -> tuple[Maps, Maps, dict[str, Tensor]]:
    """The key maps, the value maps, and the rest by the names of `PictureCrossAttention`, with numbers before them.

    Raises AdapterFormatError for gaps, for a tensor that is missing, and for what no such file has.
    """
    strange = [key for key in layers if not CROSSING.match(key) and not KEYS_VALUES.match(key)]
    if strange:
        raise AdapterFormatError(
            f"its pulid_ca part holds {first_of(strange)}, which no PuLID file for FLUX.1 has; it is of another kind, "
            "and this version does not read it."
        )
    numbers = sorted({int(key.partition(".")[0]) for key in layers})
    if numbers != list(range(len(numbers))):
        raise AdapterFormatError(
            f"its cross-attentions are numbered {numbers[:4]}..., but a PuLID file for FLUX.1 has 0, 1, 2, ... "
            f"without a gap. {AGAIN}"
        )
    pairs = [_halves(layers.get(f"{number}.to_kv.weight"), number) for number in numbers]
    rest = {key: tensor for key, tensor in layers.items() if CROSSING.match(key)}
    return tuple(key for key, _ in pairs), tuple(value for _, value in pairs), rest


def _halves(weight: Tensor | None, number: int) -> Maps:
    if weight is None or weight.ndim != 2 or not weight.shape[0] or weight.shape[0] % (2 * HEAD):
        found = "is missing" if weight is None else f"has the shape {list(weight.shape)}"
        raise AdapterFormatError(
            f"its pulid_ca.{number}.to_kv.weight {found}, and a PuLID file for FLUX.1 needs two maps of whole heads of "
            f"{HEAD} numbers there. {AGAIN}"
        )
    return weight.chunk(2)


def picture_width(crossings: Mapping[str, Tensor]) -> int:
    """Numbers per token of the picture that a file was made for."""
    first = crossings.get("0.norm2.weight")
    if first is None or first.ndim != 1 or not len(first):
        raise AdapterFormatError(f"its pulid_ca.0.norm2.weight is missing or has no fit shape. {AGAIN}")
    return len(first)


def check_crossings(spec: AdapterSpec, crossings: Mapping[str, Tensor]) -> None:
    """Hold every tensor to its shape. Raises AdapterFormatError for the first that is missing or has another."""
    with torch.device("meta"):
        expected = crossings_of(spec).state_dict()
    for key, wanted in expected.items():
        found = crossings.get(key)
        if found is None or found.shape != wanted.shape:
            what = "missing" if found is None else str(list(found.shape))
            raise AdapterFormatError(
                f"its pulid_ca.{key} is {what}, and a PuLID file for FLUX.1 for tokens of width {spec.picture_width} "
                f"has {list(wanted.shape)}. {AGAIN}"
            )


def crossings_of(spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> nn.ModuleList:
    """The cross-attentions of a spec, with weights that are still to be loaded; none in adapters of other formats."""
    widths = spec.layer_widths if spec.picture_width else ()
    return nn.ModuleList(PictureCrossAttention(spec, width, operations, dtype) for width in widths)
