"""A cross-attention layer with members' prompts and identities, opaque to torch.compile."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..model.slots import Replacement
from .in_force import opaque, terms_now

UNEVEN = (
    "Troupe: a layer got {} rows of the picture and {} rows of text. Nodes that add a text of their own inside the "
    "model do so (NAG, Normalized Attention Guidance, is one), and Apply Cast would take that text for the prompt's. "
    "Remove the node from this branch of the model, or take Apply Cast off it."
)
SCHEMA = "(Tensor onto, Tensor q, Tensor k, int layer, int heads, SymInt height, SymInt width) -> Tensor"


class CrossAttentionLayer:
    """What stands in one layer's place, and then the identities. torch.compile looks into it: it is kept plain."""

    def __init__(self, layer: int, inner: Replacement) -> None:
        self.layer = layer
        self.inner = inner

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        if len(k) != len(q):
            raise RuntimeError(UNEVEN.format(len(q), len(k)))
        onto = self.inner(q, k, v, extra_options)
        height, width = extra_options["activations_shape"][-2:]
        where = (self.layer, extra_options["n_heads"], height, width)
        if torch.compiler.is_compiling():
            return ATTEND_TO_IDENTITIES(onto, q, k, *where)
        # Called directly where nothing is traced: an operation costs a layer some microseconds.
        return _attend(onto, q, k, *where, extra_options.get("cond_or_uncond", ()))


def _attend(
    onto: Tensor, q: Tensor, k: Tensor, layer: int, heads: int, height: int, width: int, groups: Sequence[int] = ()
) -> Tensor:
    terms = terms_now()  # none in a compiled graph of ours that runs a model call without a cast
    for term in (*terms.prompts, *terms.identities):
        onto = term(onto, q, k, layer, heads, (height, width), groups)
    return onto


def _run(onto, q, k, layer, heads, height, width):
    out = _attend(onto, q, k, layer, heads, height, width).contiguous()
    return out.clone() if out.data_ptr() == onto.data_ptr() else out  # an operation may not return its argument


ATTEND_TO_IDENTITIES = opaque("attend_to_identities", SCHEMA, _run)
