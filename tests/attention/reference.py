"""The formulas written out slowly in float64, for the fast code to be compared with. Shares no code with the pack."""

from fractions import Fraction

import torch
from torch import Tensor


def decoupled(text: Tensor, q: Tensor, k: Tensor, v: Tensor, share: Tensor, heads: int) -> Tensor:
    """text + sum over i of share_i * softmax(q K_i^T / sqrt(d)) V_i, one row, head and identity at a time.

    text, q [B, N, C], k, v [S, T, C], share [B, N, S]; returns [B, N, C] float64
    """
    text, q, k, v, share = (t.double() for t in (text, q, k, v, share))
    depth = q.shape[-1] // heads
    out = text.clone()
    for b in range(q.shape[0]):
        for s in range(k.shape[0]):
            for h in range(heads):
                part = slice(h * depth, (h + 1) * depth)
                odds = (q[b, :, part] @ k[s, :, part].T / depth**0.5).exp()  # [N, T]
                out[b, :, part] += share[b, :, s, None] * (odds @ v[s, :, part]) / odds.sum(1, keepdim=True)
    return out


def mean_over_cells(mask: Tensor, rows: int, columns: int) -> Tensor:
    """The mean of a mask [H, W], stretched over the picture, over each of rows x columns equal cells, in fractions."""
    height, width = mask.shape
    out = torch.zeros(rows, columns, dtype=torch.float64)
    for r in range(rows):
        for c in range(columns):
            total = Fraction(0)
            for y in range(height):
                for x in range(width):
                    down = shared(
                        Fraction(r, rows), Fraction(r + 1, rows), Fraction(y, height), Fraction(y + 1, height)
                    )
                    across = shared(
                        Fraction(c, columns), Fraction(c + 1, columns), Fraction(x, width), Fraction(x + 1, width)
                    )
                    total += Fraction(float(mask[y, x])) * down * across
            out[r, c] = float(total * rows * columns)
    return out


def shared(low: Fraction, high: Fraction, other_low: Fraction, other_high: Fraction) -> Fraction:
    """The length that two intervals share."""
    return max(Fraction(0), min(high, other_high) - max(low, other_low))


def front_to_back(masks: Tensor) -> Tensor:
    """What an eye in front sees of each layer: the first first, each letting through what it does not cover."""
    out = torch.zeros_like(masks, dtype=torch.float64)
    for index in range(len(masks)):
        visible = masks[index].double().clone()
        for before in range(index):
            visible *= 1 - masks[before].double()
        out[index] = visible
    return out
