"""Self-attention between people and to their photos, written out slowly in float64; no code is shared with the pack.

Isolation: Bounded Attention (arXiv 2403.16990) softened by log(eta), section 5.10 of our notes. Photos: the extended
self-attention reconstructed for MultiID (arXiv 2511.20401), section 1.3 d. Both are one bias within one softmax. Batch
rows do not meet in self-attention, so every function here takes one row.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from .reference_modes import head_logits, head_parts, softmax_mean

Background = Literal["shared", "apart"]


class Reference(NamedTuple):
    """What one member's photos hold in this layer at this noise level; several photos come one after the other."""

    k: Tensor  # [T, C]
    v: Tensor  # [T, C]
    face: Tensor  # [T] bool: tokens that may be seen
    odds: float  # lambda >= 0, by which their weights e^logit are multiplied


def people_of(regions: Tensor, token: int) -> set[int]:
    """The members whose regions [N, M] hold this token; none: it is background."""
    return {member for member in range(regions.shape[1]) if bool(regions[token, member])}


def odds_between(asking: set[int], seen: set[int], eta: float, background: Background) -> float:
    """What the weight e^logit of a key is multiplied by: eta between different people, else 1.

    asking, seen : the members to whom the query and the key belong
    background   : how a query that is nobody's sees the keys of people: "shared" 1, "apart" eta
    """
    if not seen:
        return 1.0
    if not asking:
        return 1.0 if background == "shared" else eta
    return 1.0 if asking & seen else eta


def self_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    regions: Tensor,
    heads: int,
    eta: float = 1.0,
    background: Background = "shared",
    references: Sequence[Reference | None] = (),
) -> Tensor:
    """softmax(q [K ; K_1 ; ... ; K_M]^T / sqrt(d) + bias) [V ; V_1 ; ... ; V_M], with K_i of member i's photos.

    q, k, v    : [N, C] of one row of the batch
    regions    : [N, M] bool; a token in several regions belongs to all of their members, one in none is background
    eta        : 0 to 1; the bias between tokens of different people is log(eta), see `odds_between`
    references : [M], or none at all; None: the member has no photo. The bias is log(odds) from queries in the member's
                 region to face tokens, else -inf
    returns [N, C]
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}; it has to be in 0 to 1.")
    if len(references) not in (0, regions.shape[1]):
        raise ValueError(f"{len(references)} references for {regions.shape[1]} regions; give one (or None) each.")
    out = torch.zeros(q.shape, dtype=torch.float64)
    for n in range(len(q)):
        asking = people_of(regions, n)
        tokens = [
            (k[m], v[m], odds_between(asking, people_of(regions, m), eta, background)) for m in range(len(k))
        ] + reference_tokens(asking, references)
        tokens = [token for token in tokens if token[2] > 0]
        keys, values = (torch.stack([token[side] for token in tokens]) for side in (0, 1))
        bias = torch.tensor([math.log(token[2]) for token in tokens], dtype=torch.float64)
        for part in head_parts(q.shape[1], heads):
            out[n, part] = softmax_mean(head_logits(q[n], keys, part) + bias, values[:, part])
    return out


def reference_tokens(asking: set[int], references: Sequence[Reference | None]) -> list[tuple[Tensor, Tensor, float]]:
    """Key, value and odds of each face token that a query of these members may see."""
    found = []
    for member, reference in enumerate(references):
        if reference is None or member not in asking:
            continue
        for t in range(len(reference.k)):
            if bool(reference.face[t]):
                found.append((reference.k[t], reference.v[t], float(reference.odds)))
    return found


def adain_mean(x: Tensor, target: Tensor) -> Tensor:
    """x - mean(x) + mean(target), a mean per channel over tokens (Infinite-ID, arXiv 2403.11781).

    x      : [T, C] keys or values of a photo. For means over some tokens only, give those alone
    target : [N, C] keys or values of the picture, N may differ from T
    returns [T, C]; an x or target without tokens has no mean, x is returned as it is
    """
    out = x.double().clone()
    if len(x) == 0 or len(target) == 0:
        return out
    for channel in range(x.shape[1]):
        mean = math.fsum(x[:, channel].tolist()) / len(x)
        out[:, channel] += math.fsum(target[:, channel].tolist()) / len(target) - mean
    return out
