"""Random inputs for a mode, fast and slow: a batch of groups of rows, members with sources, and both ways to run it."""

from dataclasses import dataclass

import torch
from pack.attention.operators.kernel import fused_attention
from pack.attention.operators.masked import TextKeys
from pack.attention.operators.modes import attend_to_identities, lay_out
from pack.attention.recipes.recipe import Recipe
from pack.tests.attention import reference_modes as slow
from torch import Tensor

HEADS = 2


@dataclass
class Case:
    """Inputs of a layer: text and q [B, N, C], shares [G, N, M], strengths [M], sources [G, images, M]."""

    q: Tensor
    text_k: Tensor
    text_v: Tensor
    k: Tensor
    v: Tensor
    shares: Tensor
    strengths: Tensor
    sources: Tensor

    @property
    def text(self) -> Tensor:
        return fused_attention(self.q, self.text_k, self.text_v, HEADS)

    def tokens(self, of: Tensor) -> list[list[Tensor]]:
        """[b][m] of the sources' keys or values."""
        return [[of[source] for source in row] for row in self.sources.flatten(0, 1).tolist()]

    @property
    def row_shares(self) -> Tensor:
        """[B, N, M]"""
        return self.shares.repeat_interleave(self.sources.shape[1], 0)


def case(groups=2, images=1, tokens=6, members=3, length=4, width=8, seed=0, dtype=torch.float32) -> Case:
    """A positive group, whose members have a source each, and other groups, whose members share one."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    rows = groups * images
    sources = torch.full((groups, images, members), members)
    sources[0] = torch.arange(members)
    return Case(
        *(random(rows, tokens, width), random(rows, 5, width), random(rows, 5, width)),
        *(random(members + 1, length, width), random(members + 1, length, width)),
        torch.rand(groups, tokens, members, generator=generator).round(decimals=1).to(torch.float32),
        torch.ones(members),
        sources,
    )


def fast(recipe: Recipe, c: Case, strength=1.0, boosted=False, onto=None) -> Tensor:
    """The pack's own way."""
    layout = lay_out(recipe, c.shares, c.strengths, c.sources, torch.ones(len(c.k)))
    layout = layout.to(c.q.device, c.q.dtype)
    text = c.text if onto is None else onto
    return attend_to_identities(recipe, layout, text, c.q, TextKeys(c.text_k), c.k, c.v, HEADS, strength, boosted)


def slow_masked(recipe: Recipe, c: Case) -> Tensor:
    """The formula of masked attention."""
    odds = (c.strengths * recipe.odds).tolist()
    keys, values = c.tokens(c.k), c.tokens(c.v)
    return slow.masked(c.q, c.text_k, c.text_v, keys, values, c.row_shares, odds, HEADS, recipe.literal)


def slow_gated(recipe: Recipe, c: Case) -> Tensor:
    """The formula of gated attention, as printed."""
    g = recipe.gate
    keys, values = c.tokens(c.k), c.tokens(c.v)
    switches = (g.joint, g.regional, g.low, g.high, g.threshold)
    return slow.gated(c.text, c.q, keys, values, c.row_shares, c.strengths.tolist(), HEADS, *switches)
