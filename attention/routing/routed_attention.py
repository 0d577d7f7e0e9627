"""Attention in groups of rows, each with the columns it sees, by the kernel that is handed in.

No mask and no memory of S x S: what a group does not see is not among its keys, and weights are one number a key. Any
kernel serves, those without masks included, and less is computed than by an attention of everything to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .policies import RoutedGroup

Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(q, k, v, mask) -> what the kernel makes of them; the mask is added to the logits."""


def routed_attention(
    attend: Attend,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    groups: Sequence[RoutedGroup],
    mask: Tensor | None = None,
    axes: tuple[int, int] = (2, 1),
) -> Tensor:
    """What `attend` makes of every group, each row at its place.

    q, k, v : [B, H, Q, D], [B, G, S, D] twice, or any others with their tokens along axes[0]; Q may be less than S, and
              H a multiple of G where the kernel shares keys among heads
    groups  : of all rows; one that sees everything equally is a plain call of `attend`, bit for bit
    mask    : another's, [1 or Q, 1 or S], or with [B] or [B, heads] before that, float or bool
    axes    : along which tokens lie in q, k, v, and in what `attend` returns
    """
    if len(groups) == 1 and groups[0].columns is None and groups[0].bias is None:
        return attend(q, k, v, mask)
    given, returned = axes
    out = None
    for group in groups:
        keys, values = (k, v) if group.columns is None else (t.index_select(given, group.columns) for t in (k, v))
        part = attend(q.index_select(given, group.rows), keys, values, _mask(group, mask, q.dtype))
        if out is None:
            shape = list(part.shape)
            shape[returned] = q.shape[given]
            out = part.new_empty(shape)
        out.index_copy_(returned, group.rows, part)
    return out


def _mask(group: RoutedGroup, mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """What is added to a group's logits. Never bool: kernels disagree about what those mean."""
    bias = None if group.bias is None else group.bias.to(dtype)
    if mask is None:
        return bias
    if mask.ndim == 3:  # [B, Q, S], of all heads alike
        mask = mask[:, None]
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, -torch.inf)
    if mask.shape[-2] > 1:
        mask = mask.index_select(-2, group.rows)
    if mask.shape[-1] > 1 and group.columns is not None:
        mask = mask.index_select(-1, group.columns)
    return mask if bias is None else mask + bias
