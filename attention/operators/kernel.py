"""The attention kernel that identities use by default: torch's fused one, on every device and in every precision."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Scores that are held at a time where the fused kernel does not serve: 32 MB in float32, on a CPU what its cache holds.
SCORES, SCORES_ON_CPU = 1 << 23, 1 << 20


def fused_attention(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Scaled dot-product attention; the softmax is taken in float32 inside the kernel, so half precision is safe.

    q       : [B, N, H*D]
    k, v    : [B, T, H*D]
    returns [B, N, H*D]
    """
    out = F.scaled_dot_product_attention(*(split_heads(t, heads) for t in (q, k, v)))
    return out.transpose(1, 2).flatten(2)


def log_mass(q: Tensor, k: Tensor, heads: int) -> Tensor:
    """A softmax's denominator, which fused kernels keep to themselves: log sum_t exp(q . k_t / sqrt(d)).

    q, k    : [B, N, H*D], [B, T, H*D]
    returns [B, N, H] float32, also for half precision, whose products may exceed its range
    """
    rows, tokens = q.shape[:2]
    q, k = (split_heads(t, heads).flatten(0, 1) for t in (q, k))  # [B * H, N, D]
    step = max(1, (SCORES_ON_CPU if q.is_cpu else SCORES) // (tokens * k.shape[1]))
    k = k.float() * k.shape[-1] ** -0.5
    # Scores as [T, N]: summing over the first of them is twice as fast on a CPU.
    parts = [(b @ a.float().mT).logsumexp(-2) for a, b in zip(q.split(step), k.split(step), strict=True)]
    return torch.cat(parts).view(rows, heads, tokens).transpose(1, 2)


def split_heads(t: Tensor, heads: int) -> Tensor:
    """[B, N, H*D] -> [B, H, N, D]."""
    return t.unflatten(-1, (heads, -1)).transpose(1, 2)
