"""People added to the rows of a longer sequence: gathered, answered in one call, and put back where they came from.

In joint models the picture's tokens stand among those of text and references, which nobody is added to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from .packed_rows import PackedRows


def in_sequence(packed: PackedRows, tokens: int, length: int, first: int) -> PackedRows:
    """The rows of a picture of `tokens` tokens, counted in sequences of `length` that hold it from token `first` on."""
    rows = packed.rows // tokens * length + first + packed.rows % tokens
    return replace(packed, rows=rows)


def add_to_rows(sequence: Tensor, packed: PackedRows, answer: Callable[[Tensor], Tensor]) -> Tensor:
    """A new sequence [B, L, C] in which rows have what they read added, times their share; all others are the same.

    packed : rows of the whole sequence, as `in_sequence` counts them
    answer : [E, P, C] -> [E, P, C], page by page
    """
    out = sequence.clone()
    if packed.rows.numel():
        packed.scatter_onto(out.view(-1, out.shape[-1]), answer(packed.gather(sequence)))
    return out
