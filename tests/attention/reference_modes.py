"""The other attention modes written out slowly in float64, for the fast code to be compared with; no code is shared.

InstantFamily (arXiv 2404.19427) and DynamicID (arXiv 2503.06505), one batch row, query and head at a time. Every head
is C / heads channels wide, and logits are q.k / sqrt(C / heads). Tokens come as `keys[b][i]` and `values[b][i]`, each
[T_i, C]: those that identity i has in row b. Lists of identities may be empty, T_i may differ.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Tokens = Sequence[Sequence[Tensor]]


def head_logits(query: Tensor, k: Tensor, part: slice) -> Tensor:
    """[T] logits of one query [C] and all keys [T, C] in the head whose channels are `part`."""
    width = part.stop - part.start
    return (k[:, part].double() * query[part].double()).sum(-1) / math.sqrt(width)


def head_parts(channels: int, heads: int) -> list[slice]:
    """The channels of each head."""
    width = channels // heads
    return [slice(head * width, (head + 1) * width) for head in range(heads)]


def softmax_mean(logits: Tensor, v: Tensor) -> Tensor:
    """Sum over t of e^logits_t v_t, over the sum of e^logits_t; logits [T], v [T, d]."""
    weights = (logits - logits.max()).exp()
    return (weights[:, None] * v.double()).sum(0) / weights.sum()


def softmax_attention(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """softmax(q K^T / sqrt(d)) V, one softmax over all keys; q [N, C], k and v [T, C]; returns [N, C]."""
    out = torch.zeros(q.shape, dtype=torch.float64)
    for n in range(len(q)):
        for part in head_parts(q.shape[-1], heads):
            out[n, part] = softmax_mean(head_logits(q[n], k, part), v[:, part])
    return out


def masked(
    q: Tensor,
    text_k: Tensor,
    text_v: Tensor,
    keys: Tokens,
    values: Tokens,
    masks: Tensor,
    odds: Sequence[float],
    heads: int,
    literal: bool = False,
) -> Tensor:
    """One softmax over the text and every identity (InstantFamily, section 4.3 of our notes).

    q              : [B, N, C]
    text_k, text_v : [B, L, C], whose mask is 1 everywhere
    masks          : [B, N, I] G_i(x), 0 to 1
    odds           : [I] lambda_i >= 0, by which each weight e^logit of identity i is multiplied; 0 removes it
    literal        : False: weights e^l * lambda_i * G_i, so a mask of 0 is a logit of -inf.
                     True: weights e^(l * G_i) * lambda_i, as printed: a mask of 0 leaves the weight lambda_i
    returns [B, N, C]
    """
    out = torch.zeros(q.shape, dtype=torch.float64)
    for b in range(q.shape[0]):
        for n in range(q.shape[1]):
            for part in head_parts(q.shape[2], heads):
                logits, seen = [head_logits(q[b, n], text_k[b], part)], [text_v[b][:, part].double()]
                for i in range(len(keys[b])):
                    mask, chance = float(masks[b, n, i]), float(odds[i])
                    if chance == 0 or (mask == 0 and not literal):
                        continue
                    own = head_logits(q[b, n], keys[b][i], part)
                    own = own * mask if literal else own + math.log(mask)
                    logits.append(own + math.log(chance))
                    seen.append(values[b][i][:, part].double())
                out[b, n, part] = softmax_mean(torch.cat(logits), torch.cat(seen))
    return out


def percentile(numbers: Sequence[float], percent: float) -> float:
    """The value at `percent` of 0 to 100, on the line between the two order statistics around it."""
    ordered = sorted(numbers)
    place = percent / 100 * (len(ordered) - 1)
    below = min(math.floor(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def activation(
    q: Tensor,
    keys: Sequence[Tensor],
    heads: int,
    within: Tensor | None = None,
    low: float = 0,
    high: float = 100,
    eps: float = 1e-6,
) -> Tensor:
    """How much each query asks for these keys, 0 to 1: Norm(Q K^T J) of DynamicID, section 3.2 of our notes.

    q         : [N, C], one batch row; keys: all those that count, each [T, C]
    within    : [N] bool, the queries whose scores set the scale; None: all. The others are put on the same scale
    low, high : percentiles of the scores that become 0 and 1; what lies beyond is clamped
    eps       : a range of scores below it gives 0 everywhere, and so do no keys and no query within. It is absolute,
                in units of the logits q.k / sqrt(d) summed over heads and keys, so the gate does not depend on the
                scale of q only as long as the range stays above it
    returns [N]
    """
    stack = torch.cat([torch.zeros(0, q.shape[-1], dtype=torch.float64), *(k.double() for k in keys)])
    logits = torch.zeros(heads, len(q), len(stack), dtype=torch.float64)
    for head, part in enumerate(head_parts(q.shape[-1], heads)):
        for n in range(len(q)):
            logits[head, n] = head_logits(q[n], stack, part)
    scores = [math.fsum(logits[:, n].flatten().tolist()) for n in range(len(q))]
    counted = [score for n, score in enumerate(scores) if within is None or bool(within[n])]
    gate = torch.zeros(len(q), dtype=torch.float64)
    if not counted:
        return gate
    bottom, top = percentile(counted, low), percentile(counted, high)
    if top - bottom < eps:
        return gate
    for n, score in enumerate(scores):
        gate[n] = min(max((score - bottom) / (top - bottom), 0.0), 1.0)
    return gate


def gated(
    text: Tensor,
    q: Tensor,
    keys: Tokens,
    values: Tokens,
    shares: Tensor,
    strengths: Sequence[float],
    heads: int,
    joint: bool = False,
    regional: bool = False,
    low: float = 0,
    high: float = 100,
    threshold: float = 0.0,
) -> Tensor:
    """text + sum over i of s_i G_i w_i softmax(q K_i^T / sqrt(d)) V_i (DynamicID as printed, once per identity).

    text, q   : [B, N, C], text already attended to
    shares    : [B, N, I] G_i; strengths: [I] s_i
    joint     : the scores under w_i are summed over the keys of all identities, whatever their shares and strengths
                (the released code sums before it masks); else over those of identity i
    regional  : identity i's scores, joint or not, are normalised over the queries with G_i > 0; else over all
    low, high : percentiles, see `activation`
    threshold : a w_i below it becomes 0; one that equals it stays
    returns [B, N, C]
    """
    out = text.double().clone()
    for b in range(q.shape[0]):
        for i in range(len(keys[b])):
            within = shares[b, :, i] > 0 if regional else None
            gate = activation(q[b], keys[b] if joint else [keys[b][i]], heads, within, low, high)
            own = softmax_attention(q[b], keys[b][i], values[b][i], heads)
            for n in range(q.shape[1]):
                if gate[n] >= threshold:
                    out[b, n] += float(strengths[i]) * float(shares[b, n, i]) * gate[n] * own[n]
    return out


def released(
    text: Tensor,
    q: Tensor,
    keys: Tokens,
    values: Tokens,
    boxes: Tensor,
    strength: float,
    heads: int,
    threshold: float = 0.3,
    boost: float = 0.0,
) -> Tensor:
    """DynamicID as its code does it (section 3.3 of our notes), one denoising step; its ID mixing is left out.

    boxes     : [B, N, I] bool, no query in two of them (there the code's boosts compound; ValueError here)
    strength  : of all identities together
    threshold : joint gates below it become 0, before the boost: such queries inside a box still get the whole boost
    boost     : s, 4 in the code's first 3 steps, 0 after: gates become w + s inside a box and w / (s + 1) outside
    returns [B, N, C]: text + strength * gate * attention, which sees only the own identity's keys inside a box and
    all of them, in one softmax, outside every box
    """
    out = text.double().clone()
    for b in range(q.shape[0]):
        if not keys[b]:
            continue
        gate = activation(q[b], keys[b], heads)
        for n in range(q.shape[1]):
            weight = float(gate[n]) if gate[n] >= threshold else 0.0
            inside = [i for i in range(len(keys[b])) if bool(boxes[b, n, i])]
            if len(inside) > 1:
                raise ValueError(f"Query {n} of row {b} lies in the boxes of identities {inside}; one is allowed.")
            weight = weight + boost if inside else weight / (boost + 1)
            visible = inside or range(len(keys[b]))
            k, v = (torch.cat([tokens[b][i] for i in visible]) for tokens in (keys, values))
            out[b, n] += float(strength) * weight * softmax_attention(q[b, n : n + 1], k, v, heads)[0]
    return out
