"""People added to the rows of a longer sequence: gathered, answered in one call, and put back where they came from.

In joint models the picture's tokens stand among those of text and references, which nobody is added to. What reads
people there is mostly linear maps of the rows, so these see each row once for each person there and none for nothing:
the cost follows the area of all regions, however many people share it and however unequally.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .packed_rows import PackedRows


@dataclass(frozen=True, eq=False)
class PictureRows:
    """Which rows of a sequence people are added to, source by source. Made once for a grid and its shares.

    rows   : [R] int64, positions in the flattened sequences [B * L]; a position of two people is there twice
    counts : how many of them in turn read each source, 0 for one that is read nowhere; R together
    share  : [S, R], the shares, so that within one of the S no position is added to twice
    """

    rows: Tensor
    counts: tuple[int, ...]
    share: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> PictureRows:
        """The same rows on a device, with shares of a dtype."""
        return PictureRows(self.rows.to(device), self.counts, self.share.to(device, dtype))


def in_sequence(packed: PackedRows, tokens: int, length: int, first: int) -> PictureRows:
    """The rows of pictures of `tokens` tokens, counted in sequences of `length` that hold one from token `first` on."""
    real = (packed.share != 0).any(0)  # [E, P]; what else a page holds fills it up
    source = packed.source[:, None].expand_as(real)[real]
    order = source.argsort(stable=True)
    rows = packed.rows[real][order]
    placed = rows // tokens * length + first + rows % tokens
    return PictureRows(placed, tuple(source.bincount().tolist()), packed.share[:, real][:, order])


def add_to_rows(sequence: Tensor, picture: PictureRows, answer: Callable[[Tensor], Tensor]) -> Tensor:
    """A new sequence [B, L, C] in which rows have what they read added, times their share; all others are the same.

    answer : [R, C] -> [R, C], row by row
    """
    out = sequence.clone()
    if picture.rows.numel():
        flat = out.view(-1, out.shape[-1])
        read = answer(sequence.flatten(0, 1).index_select(0, picture.rows))
        for share in picture.share:
            flat.index_add_(0, picture.rows, (read * share[:, None]).to(out.dtype))
    return out
