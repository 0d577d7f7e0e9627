"""Routed attention written out slowly in float64, token by token; no code is shared with the pack.

Whose a token is, is a pair: what it is ("text", "picture", "reference") and a set of people. The rule and its
relaxations are section 2 of our notes on joint-stream models; odds are biases of log(odds) within the one softmax.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Whose = tuple[str, frozenset[int]]


def may_see(policy: str, asking: Whose, seen: Whose) -> bool:
    """Whether a token that is `asking` takes part of one that is `seen`."""
    (what, mine), (other, theirs) = asking, seen
    foreign = any(person not in mine for person in theirs)
    if policy == "free":
        return True
    if policy == "bound":
        return not (foreign and what == "picture" and other in ("text", "reference"))
    if what == "reference" and other != "reference":
        return False
    if policy == "closed" and what != "reference" and other == "picture":
        return True
    return not foreign


def odds_of(asking: Whose, seen: Whose, strengths: Sequence[float], eta: float, background: str) -> float:
    """What e^logit of a visible token is multiplied by."""
    (what, mine), (other, theirs) = asking, seen
    if what == "reference":
        return 1.0
    if other == "reference":
        found = 1.0
        for person in theirs:
            found *= strengths[person]
        return found
    if other == "picture" and any(person not in mine for person in theirs):
        return eta if mine or background == "apart" else 1.0
    return 1.0


def routed(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    whose: Sequence[Whose],
    policy: str,
    strengths: Sequence[float] = (),
    eta: float = 1.0,
    background: str = "shared",
    bias: Tensor | None = None,
) -> Tensor:
    """q [H, Q, D]; k, v [G, S, D], each of them for H / G heads; whose [S], of which the first Q ask.

    bias : [Q, S] added to the logits, or None
    returns [H, Q, D]
    """
    shared = q.shape[0] // k.shape[0]
    strengths = strengths or [1.0] * 64
    out = torch.zeros(q.shape, dtype=torch.float64)
    for row in range(q.shape[1]):
        for head in range(q.shape[0]):
            terms = []
            for column in range(k.shape[1]):
                odds = odds_of(whose[row], whose[column], strengths, eta, background)
                if odds > 0 and may_see(policy, whose[row], whose[column]):
                    logit = float(q[head, row].double() @ k[head // shared, column].double()) / math.sqrt(q.shape[-1])
                    added = 0.0 if bias is None else float(bias[row, column])
                    terms.append((logit + math.log(odds) + added, column))
            highest = max(logit for logit, _ in terms)
            total = math.fsum(math.exp(logit - highest) for logit, _ in terms)
            for logit, column in terms:
                out[head, row] += math.exp(logit - highest) / total * v[head // shared, column].double()
    return out
