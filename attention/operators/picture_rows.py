"""People added to the rows of a longer sequence: gathered, answered in one call, and put back where they came from.

In joint models the picture's tokens stand among those of text and references, which nobody is added to. What reads
people there is mostly linear maps of the rows, so these see each row once and no row for nothing; only queries are
laid into the equal pages of PackedRows, each of which answers to one person. Thus the cost follows the area of all
regions, whoever many they are shared by and however unequally.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .packed_rows import PackedRows


@dataclass(frozen=True, eq=False)
class PictureRows:
    """Which rows of a sequence people are added to. Made once for a grid and its shares.

    rows   : [R] int64, positions in the flattened sequences [B * L]; a position of two people is there twice
    pages  : [E, P] int64, which of the R rows a page holds; a page that is not full repeats its first
    places : [R] int64, where in the flattened pages each row is
    source : [E] int64, whose keys and values the page reads
    share  : [S, R], the shares, so that within one of the S no position is added to twice
    """

    rows: Tensor
    pages: Tensor
    places: Tensor
    source: Tensor
    share: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> PictureRows:
        """The same rows on a device, with shares of a dtype."""
        indices = (t.to(device) for t in (self.rows, self.pages, self.places, self.source))
        return PictureRows(*indices, self.share.to(device, dtype))

    def in_pages(self, rows: Tensor) -> Tensor:
        """[R, C] -> [E, P, C]."""
        return rows.index_select(0, self.pages.flatten()).unflatten(0, self.pages.shape)

    def out_of_pages(self, pages: Tensor) -> Tensor:
        """[E, P, C] -> [R, C]."""
        return pages.flatten(0, 1).index_select(0, self.places)


def in_sequence(packed: PackedRows, tokens: int, length: int, first: int) -> PictureRows:
    """The rows of pictures of `tokens` tokens, counted in sequences of `length` that hold one from token `first` on."""
    real = (packed.share != 0).any(0)  # [E, P]; what else a page holds fills it up
    number = (real.flatten().long().cumsum(0) - 1).view_as(real)
    rows = packed.rows[real]
    return PictureRows(
        rows // tokens * length + first + rows % tokens,
        torch.where(real, number, number[:, :1]),
        real.flatten().nonzero()[:, 0],
        packed.source,
        packed.share[:, real],
    )


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
