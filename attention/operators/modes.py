"""The modes as one operator on a layer, and the layout of shares that it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..recipes.recipe import Recipe
from .decoupled import identity_attention
from .gated import gated_attention, released_attention
from .masked import TextKeys, literal_attention, masked_attention
from .orthogonal import Method, OrthogonalRows, lay_out_orthogonal, orthogonal_attention
from .packed_rows import PackedRows, pack_rows


@dataclass(frozen=True, eq=False)
class Layout:
    """Who acts where in the rows of one call on one grid, for B = G * images rows of N tokens and M members.

    pages     : the gathered rows
    shares    : [B, N, M] each member's share of every token, without strengths; empty where the mode reads pages alone
    sources   : [B, M] int64, whose keys and values each member has in each row of the batch
    strengths : [M], in masked mode lambda
    orthogonal : the rows of members with an orthogonal method, who are not in the pages; None where nobody has one
    """

    pages: PackedRows
    shares: Tensor
    sources: Tensor
    strengths: Tensor
    orthogonal: OrthogonalRows | None = None

    def to(self, device: torch.device, dtype: torch.dtype) -> Layout:
        """The same layout on a device, with shares of a dtype."""
        return Layout(
            self.pages.to(device, dtype),
            self.shares.to(device, dtype),
            self.sources.to(device),
            self.strengths.to(device, torch.float32),
            None if self.orthogonal is None else self.orthogonal.to(device),
        )


def lay_out(
    recipe: Recipe,
    shares: Tensor,
    strengths: Tensor,
    sources: Tensor,
    repeats: Tensor,
    methods: Sequence[Method] = (),
    copies: Tensor | None = None,
    lengths: tuple[int | None, int | None] = (None, None),
) -> Layout:
    """The layout of a recipe's mode.

    shares    : [G, N, M] on the CPU, the composited share of each member in each of G groups of rows
    strengths : [M], 0 for a member who does not act
    sources   : [G, images, M] int64 whose keys and values a member has in each row
    repeats   : [S] how often the tokens of each source are repeated (attention.adapters.identity_adapter.join_sources)
    methods   : [M] of members, where one is orthogonal; only for recipes that take it (`takes_methods`)
    copies    : [S] how often each source as a whole is repeated, where one is orthogonal
    lengths   : tokens of the sources of plain members and of orthogonal ones, where these are of unlike length
    """
    images = sources.shape[1]
    of_all = shares.repeat_interleave(images, 0)
    if recipe.mode == "masked":
        strengths = strengths * recipe.odds / repeats[sources[0, 0]]
    if recipe.mode == "masked" and recipe.literal:
        return Layout(pack_rows(shares * 0), of_all, sources.flatten(0, 1), strengths)
    weighted = shares * strengths
    if any(method.orthogonal for method in methods):
        aside = torch.tensor([method.orthogonal for method in methods])
        theirs = merged_by_method(weighted * aside, sources, methods) if recipe.merges else weighted * aside
        plain = lay_out(recipe, shares, strengths * ~aside, sources, repeats)
        return replace(plain, orthogonal=lay_out_orthogonal(theirs, methods, sources, copies, lengths))
    if recipe.merges:
        return Layout(pack_rows(*merged(weighted, sources)), shares[:0], sources.flatten(0, 1), strengths)
    if recipe.gate.released:
        nobody_there = shares.sum(-1, keepdim=True) == 0
        open_to_all = (nobody_there & (strengths > 0)).to(shares.dtype)
        weighted = torch.where(strengths > 0, shares, torch.zeros_like(shares)) + open_to_all
    return Layout(pack_rows(weighted, images, sources), of_all, sources.flatten(0, 1), strengths)


def takes_methods(recipe: Recipe) -> bool:
    """Whether people can stand beside the text in a way of their own: not in one softmax with it or each other."""
    return recipe.mode == "decoupled" or (recipe.mode == "gated" and not recipe.gate.released)


def merged(shares: Tensor, sources: Tensor, kinds: Sequence[object] = ()) -> tuple[Tensor, int, Tensor]:
    """Members who read the same source in a group as one, with the sum of their shares: arguments of `pack_rows`.

    Rows that are not the positive prompt read "nobody" for every member, so overlapping members cost them one read.
    kinds : of members, where those of unlike kinds stay apart
    """
    together = torch.zeros_like(shares)
    for group in range(len(shares)):
        first: dict[tuple, int] = {}
        for column in range(shares.shape[-1]):
            kind = kinds[column] if kinds else None
            into = first.setdefault((kind, *sources[group, :, column].tolist()), column)
            together[group, :, into] += shares[group, :, column]
    return together, sources.shape[1], sources


def merged_by_method(shares: Tensor, sources: Tensor, methods: Sequence[Method]) -> Tensor:
    """Members of one method who read the same over the whole picture say the same; those of own regions stay apart."""
    kinds = [column if method.regional else method for column, method in enumerate(methods)]
    return merged(shares, sources, kinds)[0]


def attend_to_identities(
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
) -> Tensor:
    """A layer's attention to the text, and to the identities in the way of the recipe.

    onto     : [B, N, H*D] the attention to the text; not changed
    q        : [B, N, H*D]
    text     : the keys of the text
    k, v     : [S, T, H*D] keys and values of all sources
    strength : of this layer, above 0
    boosted  : whether the step is one of those that the released gate boosts
    returns [B, N, H*D]
    """
    pages, gate = layout.pages, recipe.gate
    if recipe.mode == "decoupled":
        if layout.orthogonal is None:
            return identity_attention(onto, q, k, v, pages, heads, strength)
        out = identity_attention(onto, q, *layout.orthogonal.of_others(k, v), pages, heads, strength)
        return orthogonal_attention(out, onto, q, k, v, layout.orthogonal, heads, strength)
    if recipe.mode == "masked" and recipe.literal:
        odds = (strength * layout.strengths).expand(len(q), -1)
        return literal_attention(onto, q, text, k[layout.sources], v[layout.sources], layout.shares, odds, heads)
    if recipe.mode == "masked":
        return masked_attention(onto, q, text, k, v, pages, heads, strength)
    where = (pages, layout.shares, layout.sources)
    if gate.released:
        boost = gate.boost if boosted else 0.0
        return released_attention(onto, q, k, v, *where, layout.strengths, heads, gate, boost, strength)
    return gated_attention(onto, q, k, v, *where, heads, gate, strength, layout.orthogonal)
