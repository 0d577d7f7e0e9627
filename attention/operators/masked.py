"""Masked attention: one softmax over the text and all identities (InstantFamily, arXiv 2404.19427, eq. 6 and 7).

    out(x) = [ sum_t e^{l_t} v_t + sum_i lambda_i G_i(x) sum_k e^{l_ik} v_ik ]
             / [ sum_t e^{l_t}   + sum_i lambda_i G_i(x) sum_k e^{l_ik} ]

A share G of 0 is an additive -inf, so that masked tokens keep no weight; the paper multiplies logits by the mask, which
leaves them the weight e^0 (`literal_attention`). lambda_i, the strength, counts an identity's tokens that many times
(as a logarithm on the logits: XVerse, arXiv 2506.21416).

A softmax over several sets of keys is the mean of the sets' own softmaxes, weighted by their masses e^{log_mass}. So
the text's attention is taken as it comes, whoever computed it, and rows without an identity keep it bit for bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .decoupled import Attend
from .kernel import fused_attention, log_mass, split_heads
from .packed_rows import PackedRows, times_heads


class TextKeys(NamedTuple):
    """The keys of the text.

    keys    : [B, L, H*D]
    repeats : [B] float32, how often a row's prompt is repeated in them; None for once. Repeated keys change nothing in
              a softmax of their own, but would count the text that often against an identity.
    """

    keys: Tensor
    repeats: Tensor | None = None

    def log_mass(self, q: Tensor, heads: int) -> Tensor:
        """[B, N, H], each token of the prompt counted once."""
        mass = log_mass(q, self.keys, heads)
        return mass if self.repeats is None else mass - self.repeats.log()[:, None, None]


def masked_attention(
    onto: Tensor,
    q: Tensor,
    text: TextKeys,
    k: Tensor,
    v: Tensor,
    pages: PackedRows,
    heads: int,
    strength: float = 1.0,
    attend: Attend = fused_attention,
) -> Tensor:
    """One softmax over the text and, in each row, the identities with a share there.

    onto     : [B, N, H*D]  the attention to the text alone; not changed
    q        : [B, N, H*D]
    text     : the keys of the text
    k, v     : [S, T, H*D]  keys and values of the sources
    pages    : shares lambda_i * G_i(x), from `pack_rows` with the same B and N
    strength : multiplies every lambda
    returns [B, N, H*D]  exactly `onto` where every share is 0
    """
    if len(pages.source) == 0:
        return onto
    some, keys = pages.gather(q), k.index_select(0, pages.source)
    out = attend(some, keys, v.index_select(0, pages.source), heads)  # [E, P, H*D]
    mass = log_mass(some, keys, heads) + math.log(strength)
    weight, rest = weights_of(pages, mass, text.log_mass(q, heads).flatten(0, 1))
    total = times_heads(onto.flatten(0, 1), rest).clone()
    return pages.weigh_onto(total, out, weight).view_as(onto)


def weights_of(pages: PackedRows, mass: Tensor, base: Tensor) -> tuple[Tensor, Tensor]:
    """The part of a joint softmax that falls to each page's row, and the part left to the base.

    mass : [E, P, H] float32, log mass of each page's source in its rows, without the share
    base : [B * N, H] float32, log mass of what every row attends to anyway; -inf for nothing
    returns [E, P, H] and [B * N, H]; in rows without a page the latter is exactly 1 (0 where the base has no mass)
    """
    rows = pages.rows.flatten()
    logit = mass + pages.share.sum(0).float().log()[..., None]  # -inf in the unused places of a page
    flat = logit.flatten(0, 1)
    peak = base.scatter_reduce(0, rows[:, None].expand_as(flat), flat, "amax")
    peak = torch.where(peak.isinf(), torch.zeros_like(peak), peak)
    weight, rest = (flat - peak[rows]).exp(), (base - peak).exp()
    total = rest.clone()
    for layer in pages.share:
        total.index_add_(0, rows, weight * (layer != 0).flatten()[:, None])
    total = torch.where(total > 0, total, torch.ones_like(total))
    return (weight / total[rows]).view_as(logit), rest / total


def literal_attention(
    onto: Tensor, q: Tensor, text: TextKeys, k: Tensor, v: Tensor, masks: Tensor, odds: Tensor, heads: int
) -> Tensor:
    """The published formula to the letter: an identity's logits are multiplied by its mask before the softmax.

    A masked token keeps the weight e^0, so everybody leaks everywhere; for study, and as slow as it is written.

    onto, q, text : as for `masked_attention`
    k, v  : [B, M, T, H*D] of each identity in each row of the batch
    masks : [B, N, M]
    odds  : [B, M] lambda of each identity; 0 takes it out
    returns [B, N, H*D]
    """
    parts = literal_parts(q, text, k, v, masks, odds, heads)
    own = torch.einsum("bhnmt,bhmtd->bhnd", parts.weight, parts.values)
    own = own + parts.rest[..., None] * split_heads(onto, heads).float()
    return (own / parts.total[..., None]).transpose(1, 2).flatten(2).to(onto.dtype)


class LiteralParts(NamedTuple):
    """A joint softmax before its parts are summed, all float32.

    values : [B, H, M, T, D] of each identity
    weight : [B, H, N, M, T] of each of its tokens, to be divided by the total
    rest   : [B, H, N] of the text
    total  : [B, H, N]
    """

    values: Tensor
    weight: Tensor
    rest: Tensor
    total: Tensor


def literal_parts(
    q: Tensor, text: TextKeys, k: Tensor, v: Tensor, masks: Tensor, odds: Tensor, heads: int
) -> LiteralParts:
    """The parts of `literal_attention`, whose arguments these are."""
    base = text.log_mass(q, heads).transpose(1, 2)  # [B, H, N]
    scale = (q.shape[-1] // heads) ** -0.5
    keys, values = (split_heads(t.flatten(1, 2).float(), heads).unflatten(2, t.shape[1:3]) for t in (k, v))
    logits = torch.einsum("bhnd,bhmtd->bhnmt", split_heads(q, heads).float() * scale, keys)
    logits = logits * masks.float()[:, None, :, :, None] + odds.float().log()[:, None, None, :, None]
    peak = torch.maximum(base, logits.amax((-1, -2)))
    weight, rest = (logits - peak[..., None, None]).exp(), (base - peak).exp()
    return LiteralParts(values, weight, rest, rest + weight.sum((-1, -2)))
