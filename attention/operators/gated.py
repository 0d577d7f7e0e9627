"""Gated attention: each identity is scaled, query by query, by how strongly the query responds to its keys.

    out(x) = text(x) + sum over i of share_i(x) * w_i(x) * softmax(q(x) K_i^T / sqrt(d)) V_i
    (semantic-activated attention of DynamicID, arXiv 2503.06505, section 3.2)

The gate w comes from the sum of all logits of a query, which needs no attention matrix: it is the query times the sum
of the keys (see `activation`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..recipes.recipe import Gate
from .decoupled import Attend, identity_attention
from .gates import activation
from .kernel import fused_attention, log_mass
from .masked import weights_of
from .orthogonal import OrthogonalRows, orthogonal_attention
from .packed_rows import PackedRows


def gated_attention(
    onto: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pages: PackedRows,
    shares: Tensor,
    sources: Tensor,
    heads: int,
    gate: Gate,
    strength: float = 1.0,
    orthogonal: OrthogonalRows | None = None,
    attend: Attend = fused_attention,
) -> Tensor:
    """Add the identities, each times its gate.

    onto, q, k, v, pages : as for `identity_attention`
    shares     : [B, N, M] the shares that the pages were made of
    sources    : [B, M] int64 whose keys column m has in each row of the batch
    orthogonal : the rows of people who are not in the pages (attention.operators.orthogonal)
    returns [B, N, H*D]  exactly `onto` where every share or gate is 0
    """
    if len(pages.source) == 0 and orthogonal is None:
        return onto
    summed = k.float().sum(1)[sources]  # [B, M, H*D]
    if gate.joint:
        summed = summed.sum(1, keepdim=True).expand_as(summed)
    weight = activation(q, summed, heads, shares != 0 if gate.regional else None, gate.low, gate.high)
    weight = cut(weight, gate.threshold).flatten(0, 1)  # [B * N, M]
    plain = strength * weight[pages.rows, pages.column[:, None]]
    if orthogonal is None:
        return identity_attention(onto, q, k, v, pages, heads, plain, attend)
    out = identity_attention(onto, q, *orthogonal.of_others(k, v), pages, heads, plain, attend)
    own = strength * weight[orthogonal.pages.rows, orthogonal.pages.column[:, None]]
    return orthogonal_attention(out, onto, q, k, v, orthogonal, heads, own, attend)


def released_attention(
    onto: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pages: PackedRows,
    shares: Tensor,
    sources: Tensor,
    strengths: Tensor,
    heads: int,
    gate: Gate,
    boost: float = 0.0,
    strength: float = 1.0,
    attend: Attend = fused_attention,
) -> Tensor:
    """The form that DynamicID's authors released: one gate and one softmax for all identities, and a layout boost.

    Inside a region only its own identity is attended to; outside of all regions identities compete in one softmax.
    The gate is normalised before any mask, cut at the threshold, then w + boost inside and w / (boost + 1) outside.

    pages     : of the shares inside regions, and of 1 for every identity outside of them
    shares    : [B, N, M] the shares inside regions alone
    strengths : [M] of the members
    """
    if len(pages.source) == 0:
        return onto
    summed = k.float().sum(1)[sources].sum(1, keepdim=True)
    weight = cut(activation(q, summed, heads, None, gate.low, gate.high), gate.threshold)[..., 0]  # [B, N]
    inside = shares.sum(-1).clamp(max=1).to(weight.dtype)
    weight = inside * (weight + boost) + (1 - inside) * weight / (boost + 1)
    some, keys = pages.gather(q), k.index_select(0, pages.source)
    out = attend(some, keys, v.index_select(0, pages.source), heads)
    nothing = torch.full((onto.shape[0] * onto.shape[1], heads), -torch.inf, device=q.device)
    parts, _ = weights_of(pages, log_mass(some, keys, heads), nothing)  # [E, P, H]
    scale = strength * strengths[pages.column][:, None] * weight.flatten()[pages.rows]  # [E, P]
    return pages.weigh_onto(onto.flatten(0, 1).clone(), out, parts * scale[..., None]).view_as(onto)


def cut(weight: Tensor, threshold: float) -> Tensor:
    """Gates below the threshold as 0."""
    return weight if threshold <= 0 else torch.where(weight < threshold, torch.zeros_like(weight), weight)
