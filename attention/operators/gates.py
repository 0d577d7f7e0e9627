"""Gates: how strongly each query of a layer responds to an identity, between 0 and 1."""

from __future__ import annotations

import torch
from torch import Tensor

# A layer whose responses differ by less than this, in logits, answers to nobody in particular: its gate is 0.
# The second number is a part of the responses themselves, whose rounding would otherwise be stretched to a gate.
LEAST_RANGE, LEAST_PART = 1e-6, 1e-5


def activation(
    q: Tensor, keys: Tensor, heads: int, within: Tensor | None = None, low: float = 0.0, high: float = 100.0
) -> Tensor:
    """Gates of every query for every set of keys.

    The sum of a query's logits over heads and keys is the query times the sum of the keys, because heads are
    consecutive parts of both: sum_h sum_k q_h . k_h = q . sum_k k.

    q      : [B, N, H*D]
    keys   : [B, M, H*D], the sum of each identity's keys
    within : [B, N, M] bool, the queries over which the range is taken; None for all
    low, high : percentiles of that range; what lies beyond them is 0 or 1
    returns [B, N, M] float32 in [0, 1]; 0 where all queries respond alike
    """
    response = (q.float() @ keys.float().mT) * (q.shape[-1] // heads) ** -0.5
    bottom, top = _ends(response, within, low / 100, high / 100)
    span = top - bottom
    ranges = span > (LEAST_PART * torch.maximum(top.abs(), bottom.abs())).clamp(min=LEAST_RANGE)
    gate = (response - bottom) / torch.where(ranges, span, torch.ones_like(span))
    return torch.where(ranges, gate.clamp(0, 1), torch.zeros_like(gate))


def _ends(response: Tensor, within: Tensor | None, low: float, high: float) -> tuple[Tensor, Tensor]:
    """The percentiles over the queries, [B, 1, M] each; of no queries at all, a range of nothing."""
    if (low, high) == (0.0, 1.0):
        if within is None:
            return response.aminmax(dim=1, keepdim=True)
        inf = torch.inf
        bottom = response.masked_fill(~within, inf).amin(1, keepdim=True)
        top = response.masked_fill(~within, -inf).amax(1, keepdim=True)
        return bottom, top
    if within is not None:
        response = response.masked_fill(~within, torch.nan)
    ends = [torch.nanquantile(response, quantile, 1, keepdim=True).nan_to_num(0.0) for quantile in (low, high)]
    return ends[0], ends[1]
