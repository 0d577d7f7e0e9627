"""How strongly each identity acts at every point of a layer, measured while the layer works.

What an identity adds at a point is a vector over heads and channels; its length is the energy there. For `decoupled`
and `gated` that is its share times its gate times its own attention, for `masked` its part of the joint softmax.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..operators.masked import TextKeys, literal_parts
from ..operators.modes import Layout, attend_to_identities
from ..operators.packed_rows import PackedRows, times_heads
from ..recipes.recipe import Recipe


@dataclass(frozen=True, eq=False)
class MeasuredPages(PackedRows):
    """PackedRows that note the energy of whatever is added through them.

    energy : [M, B * N] float32 of each column of the shares, added to in place
    """

    energy: Tensor

    def scatter_onto(self, total: Tensor, values: Tensor) -> Tensor:
        self._note(_lengths(values) * self.share.float().sum(0))
        return super().scatter_onto(total, values)

    def weigh_onto(self, total: Tensor, values: Tensor, weight: Tensor) -> Tensor:
        self._note(_lengths(times_heads(values, weight)) * (self.share != 0).any(0))
        return super().weigh_onto(total, values, weight)

    def _note(self, lengths: Tensor) -> None:
        """Lengths [E, P] of what each row of the pages adds."""
        at = self.column[:, None] * self.energy.shape[1] + self.rows
        self.energy.view(-1).index_add_(0, at.flatten(), lengths.flatten())


def attend_and_measure(
    recipe: Recipe,
    layout: Layout,
    onto: Tensor,
    q: Tensor,
    text: TextKeys,
    k: Tensor,
    v: Tensor,
    heads: int,
    strength: float = 1.0,
    boosted: bool = False,
) -> tuple[Tensor, Tensor]:
    """What `attend_to_identities` returns for these arguments, bit for bit, and the energies, float32 [M, B, N].

    Of orthogonal attention (attention.operators.orthogonal) it is what is left when the text's part is taken out.
    Members who read the same source in a row (nobody, in rows that are not the positive prompt) act as one there, and
    the first of them has the energy of all.
    """
    members = len(layout.strengths)
    if recipe.mode == "masked" and recipe.literal:
        out = attend_to_identities(recipe, layout, onto, q, text, k, v, heads, strength, boosted)
        return out, _literal_energies(layout, q, text, k, v, heads, strength)
    energy = torch.zeros(members, q.shape[0] * q.shape[1], device=q.device)
    layout = replace(layout, pages=MeasuredPages(**vars(layout.pages), energy=energy))
    if layout.orthogonal is not None:
        pages = MeasuredPages(**vars(layout.orthogonal.pages), energy=energy)
        layout = replace(layout, orthogonal=replace(layout.orthogonal, pages=pages))
    out = attend_to_identities(recipe, layout, onto, q, text, k, v, heads, strength, boosted)
    return out, energy.unflatten(1, q.shape[:2])


def _lengths(vectors: Tensor) -> Tensor:
    return torch.linalg.vector_norm(vectors, dim=-1, dtype=torch.float32)


def _literal_energies(layout: Layout, q: Tensor, text: TextKeys, k: Tensor, v: Tensor, heads: int, strength: float):
    odds = (strength * layout.strengths).expand(len(q), -1)
    parts = literal_parts(q, text, k[layout.sources], v[layout.sources], layout.shares, odds, heads)
    own = torch.einsum("bhnmt,bhmtd->bhnmd", parts.weight, parts.values) / parts.total[..., None, None]
    return own.square().sum((1, -1)).sqrt().permute(2, 0, 1)  # [B, H, N, M, D] -> [M, B, N]
