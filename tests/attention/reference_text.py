"""Local prompts written out slowly in float64, for the fast code to be compared with; no code is shared.

The mix of regional prompts reconstructed for MultiID (arXiv 2511.20401; section 1.3 b of our notes), one batch row,
query and head at a time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .reference_modes import softmax_attention

SLACK = 1e-5  # by how much shares in lower precision may add up to more than 1


def local_text(
    q: Tensor,
    text_k: Tensor,
    text_v: Tensor,
    keys: Sequence[Tensor | None],
    values: Sequence[Tensor | None],
    shares: Tensor,
    base: float,
    positive: Sequence[bool],
    heads: int,
) -> Tensor:
    """b T_g + (1 - b) (sum over i of G_i T_i + (1 - sum over i of G_i) T_g), T the attention to one prompt alone.

    q              : [B, N, C]
    text_k, text_v : [B, L, C], each row's own prompt: the global one in positive rows
    keys, values   : [M] of [L_i, C], the prompt of member i; None: the member has none, and T_i is T_g
    shares         : [N, M] G_i, composited, 0 to 1; their sum over M is at most 1, what it lacks is T_g's
    base           : b, 0 to 1
    positive       : [B]; rows that are not get T_g and nothing else
    returns [B, N, C]; a prompt counts for nothing, whatever its keys hold, where its share is 0
    """
    check(shares, base)
    out = torch.zeros(q.shape, dtype=torch.float64)
    for b in range(q.shape[0]):
        everywhere = softmax_attention(q[b], text_k[b], text_v[b], heads)
        for n in range(q.shape[1]):
            if not positive[b]:
                out[b, n] = everywhere[n]
                continue
            regional, left = torch.zeros(q.shape[2], dtype=torch.float64), 1.0
            for i in range(len(keys)):
                share = float(shares[n, i])
                if share == 0 or keys[i] is None:
                    continue
                regional += share * softmax_attention(q[b, n : n + 1], keys[i], values[i], heads)[0]
                left -= share
            out[b, n] = base * everywhere[n] + (1 - base) * (regional + max(left, 0.0) * everywhere[n])
    return out


def check(shares: Tensor, base: float) -> None:
    """Raise ValueError where the weights of the mix would not add up to 1, or one would be negative."""
    if not 0 <= base <= 1:
        raise ValueError(f"The base ratio is {base}; it has to be in 0 to 1.")
    if shares.numel() and (shares.min() < 0 or shares.double().sum(-1).max() > 1 + SLACK):
        raise ValueError("Shares have to be at least 0 and add up to at most 1 for every query. Composite them first.")
