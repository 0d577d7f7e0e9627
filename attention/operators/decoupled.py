"""Decoupled attention: every identity has a softmax of its own and acts only where it has a share of the picture.

out(x) = text(x) + sum over identities i of share_i(x) * softmax(q(x) K_i^T / sqrt(d)) V_i
(IP-Adapter, arXiv 2308.06721, eq. 5, per identity; ID-decoupled cross-attention of MultiID, arXiv 2511.20401;
local decoupling of AnyMS, arXiv 2512.23537)
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from .kernel import fused_attention
from .packed_rows import PackedRows

Attend = Callable[[Tensor, Tensor, Tensor, int], Tensor]


def identity_attention(
    onto: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pages: PackedRows,
    heads: int,
    strength: float | Tensor = 1.0,
    attend: Attend = fused_attention,
) -> Tensor:
    """Add to `onto` the sum over identities of share times that identity's own attention, in one call.

    onto     : [B, N, H*D]  what identities are added to, the attention to the text; not changed
    q        : [B, N, H*D]  N image tokens
    k, v     : [S, T, H*D]  T tokens of each of S sources
    pages    : from `pack_rows` with the same B and N
    strength : of all identities, or [E, P] of each row of the pages
    returns [B, N, H*D]  exactly `onto` where every share is 0
    """
    if len(pages.source) == 0:
        return onto
    out = attend(pages.gather(q), k.index_select(0, pages.source), v.index_select(0, pages.source), heads)
    if isinstance(strength, Tensor):
        out = out * strength[..., None].to(out.dtype)
    elif strength != 1.0:
        out = out * strength
    return pages.scatter_onto(onto.flatten(0, 1).clone(), out).view_as(onto)
