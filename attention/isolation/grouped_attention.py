"""Self-attention between people and to their reference photos, group by group, in torch's fused kernel.

    out(x in group c) = softmax over [ own tokens, log eta on those of others ; photos' tokens, log lambda ] V

Photos join a person's keys and values and never replace them (extended self-attention of MultiID, arXiv 2511.20401;
concatenation as in Infinite-ID, arXiv 2403.11781; FreeCustom, arXiv 2405.13870, adds a weight w, which is log lambda).
A group's rows are gathered and attend to what they see alone, so isolation costs no more than plain attention.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..operators.kernel import split_heads
from .token_groups import TokenGroup


class PhotoKeys(NamedTuple):
    """A member's photos in one layer.

    keys, values : [1 or R, T, H*D] the tokens of the face, for all rows or for each
    odds         : lambda, the weight of such a token, above 0
    """

    keys: Tensor
    values: Tensor
    odds: float


def grouped_attention(
    onto: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    groups: Sequence[TokenGroup],
    heads: int,
    eta: float = 1.0,
    photos: Mapping[int, PhotoKeys] | None = None,
) -> Tensor:
    """The self-attention of some rows of a batch whose regions lie alike.

    onto    : [R, N, H*D] the result is written into it, for every query of a group
    q, k, v : [R, N, H*D]
    eta     : weight of what a group's `rest` holds, between 0 and 1
    photos  : by number of the member
    returns `onto`
    """
    for group in groups:
        own = [photos[person] for person in group.people if photos and person in photos]
        keys = [k if group.keys is None else k.index_select(1, group.keys)]
        values = [v if group.keys is None else v.index_select(1, group.keys)]
        for photo in own:
            keys.append(photo.keys.to(k).expand(len(k), -1, -1))
            values.append(photo.values.to(v).expand(len(v), -1, -1))
        bias = _bias(group, keys, eta, [photo.odds for photo in own])
        q_, k_, v_ = (split_heads(t, heads) for t in (q.index_select(1, group.queries), _join(keys), _join(values)))
        out = F.scaled_dot_product_attention(q_, k_, v_, bias)
        onto.index_copy_(1, group.queries, out.transpose(1, 2).flatten(2).to(onto.dtype))
    return onto


def _join(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _bias(group: TokenGroup, keys: list[Tensor], eta: float, odds: Sequence[float]) -> Tensor | None:
    """What is added to the logits of each key, [1, 1, 1, keys]; None for nothing: then the fastest kernel serves."""
    if group.rest is None and all(number == 1 for number in odds):
        return None
    first = keys[0].new_zeros(keys[0].shape[1])
    if group.rest is not None:
        first = first.masked_fill(group.rest, math.log(eta))
    rest = [part.new_full((part.shape[1],), math.log(number)) for part, number in zip(keys[1:], odds, strict=True)]
    return torch.cat([first, *rest])[None, None, None]


def mean_matched(x: Tensor, target: Tensor) -> Tensor:
    """Photos' keys or values with the mean of the picture's own, channel by channel: their style, not their colours.

    x, target : [1 or R, T, C], [R, N, C]
    returns [R, T, C]  (AdaIN of the mean alone: Infinite-ID, arXiv 2403.11781)
    """
    return x - x.mean(1, keepdim=True) + target.mean(1, keepdim=True)
