"""A self-attention layer in which people are kept apart, opaque to torch.compile."""

from __future__ import annotations

import comfy.ldm.modules.attention as attention
import torch
from torch import Tensor

from ..model.slots import Replacement, text_attention
from .in_force import opaque, terms_now

SCHEMA = "(Tensor q, Tensor k, Tensor v, int layer, int heads, SymInt height, SymInt width) -> Tensor"


class SelfAttentionLayer:
    """What stands in one self-attention layer's place.

    Another pack's replacement there is called instead: it may not attend at all (PAG), or keep what it sees (SAG).
    """

    def __init__(self, layer: int, inner: Replacement) -> None:
        self.layer = layer
        self.inner = inner
        self.plain = inner is text_attention

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        if not self.plain:
            return self.inner(q, k, v, extra_options)
        height, width = extra_options["activations_shape"][-2:]
        where = (self.layer, extra_options["n_heads"], height, width)
        if torch.compiler.is_compiling():
            return ATTEND_TO_ONESELF(q, k, v, *where)
        out = _attend(q, k, v, *where)
        return self.inner(q, k, v, extra_options) if out is None else out


def _attend(q: Tensor, k: Tensor, v: Tensor, layer: int, heads: int, height: int, width: int) -> Tensor | None:
    """The layer's attention where a term changes it, else None.

    A layer whose tokens another pack merged or cut into tiles (ToMe, HyperTile) is left alone: whose they are is lost.
    """
    term = terms_now().self_attention
    if term is None or q.shape[1] != height * width or not term.acts(layer, (height, width), len(q)):
        return None
    return term(q, k, v, layer, heads, (height, width))


def _run(q, k, v, layer, heads, height, width):
    out = _attend(q, k, v, layer, heads, height, width)
    return (attention.optimized_attention(q, k, v, heads) if out is None else out).contiguous()


ATTEND_TO_ONESELF = opaque("attend_to_oneself", SCHEMA, _run)
