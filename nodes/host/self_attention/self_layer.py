"""A self-attention layer in which people are kept apart, as one operation that torch.compile does not look into.

The same plan as cast_layer: a compiled graph holds nothing of a cast and asks, whenever it runs, for the term of the
model call it runs in. Without one it attends plainly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import comfy.ldm.modules.attention as attention
import torch
from torch import Tensor

from ..cast.slots import Replacement, text_attention
from ..cast.unrecordable import UNRECORDABLE
from .self_terms import Recorder, SelfTerm

NAME = "troupe::attend_to_oneself"
SCHEMA = "(Tensor q, Tensor k, Tensor v, int layer, int heads, SymInt height, SymInt width) -> Tensor"

_term: ContextVar[SelfTerm | Recorder | None] = ContextVar("troupe_self_term", default=None)


@contextmanager
def self_term_in_force(term: SelfTerm | Recorder | None) -> Iterator[None]:
    """Answer the self-attention layers of one model call, in this thread, with this term; None keeps the one before."""
    token = _term.set(term or _term.get())
    try:
        yield
    finally:
        _term.reset(token)


def term_now() -> SelfTerm | Recorder | None:
    """What answers the layers of the model call that is running in this thread."""
    return _term.get()


class SelfLayer:
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
            return torch.ops.troupe.attend_to_oneself(q, k, v, *where)
        out = _attend(q, k, v, *where)
        return self.inner(q, k, v, extra_options) if out is None else out


def _attend(q: Tensor, k: Tensor, v: Tensor, layer: int, heads: int, height: int, width: int) -> Tensor | None:
    """The layer's attention where a term changes it, else None.

    A layer whose tokens another pack merged or cut into tiles (ToMe, HyperTile) is left alone: whose they are is lost.
    """
    term = _term.get()
    if term is None or q.shape[1] != height * width or not term.acts(layer, (height, width), len(q)):
        return None
    if isinstance(term, Recorder):
        term.note(layer, k, v)
        return None
    return term(q, k, v, layer, heads, (height, width))


@torch.library.custom_op(NAME, mutates_args=(), schema=SCHEMA, tags=UNRECORDABLE)
def _opaque(q, k, v, layer, heads, height, width):
    out = _attend(q, k, v, layer, heads, height, width)
    return (attention.optimized_attention(q, k, v, heads) if out is None else out).contiguous()


@_opaque.register_fake
def _(q, k, v, layer, heads, height, width):
    return torch.empty_like(q, memory_format=torch.contiguous_format)
