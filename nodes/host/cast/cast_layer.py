"""A cross-attention layer with identities, as one operation that torch.compile does not look into.

A compiled graph then holds nothing of a cast: no page, no key, no number of members. It asks, whenever it runs, for the
terms of the model call it runs in, and may serve any cast, two patches at once, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from ..self_attention.self_layer import self_term_in_force
from ..self_attention.self_terms import SelfTerm
from .cast_term import CastTerm
from .slots import Replacement
from .unrecordable import UNRECORDABLE

NAME = "troupe::attend_to_identities"
SCHEMA = "(Tensor onto, Tensor q, Tensor k, int layer, int heads, SymInt height, SymInt width) -> Tensor"

_terms: ContextVar[tuple[CastTerm, ...]] = ContextVar("troupe_terms", default=())


@contextmanager
def in_force(terms: tuple[CastTerm, ...], self_term: SelfTerm | None = None) -> Iterator[None]:
    """Answer the layers of one model call, in this thread, with these terms; choose a graph that has our layers."""
    # ComfyUI's TorchCompileModel drops every guard on the transformer options, so a graph of the unpatched model would
    # pass for one of ours. Guards on torch's own state stay: this switch is one, of this thread alone, and does
    # nothing outside of autocast (inside, it makes autocast convert a weight again, with the same outcome).
    cached = torch.is_autocast_cache_enabled()
    token = _terms.set(terms)
    torch.set_autocast_cache_enabled(False)
    try:
        with self_term_in_force(self_term):
            yield
    finally:
        torch.set_autocast_cache_enabled(cached)
        _terms.reset(token)


class CastLayer:
    """What stands in one layer's place, and then the identities. torch.compile looks into it: it is kept plain."""

    def __init__(self, layer: int, inner: Replacement) -> None:
        self.layer = layer
        self.inner = inner

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        onto = self.inner(q, k, v, extra_options)
        height, width = extra_options["activations_shape"][-2:]
        where = (self.layer, extra_options["n_heads"], height, width)
        if torch.compiler.is_compiling():
            return torch.ops.troupe.attend_to_identities(onto, q, k, *where)
        # Called directly where nothing is traced: an operation costs a layer some microseconds.
        return _attend(onto, q, k, *where, extra_options.get("cond_or_uncond", ()))


def _attend(
    onto: Tensor, q: Tensor, k: Tensor, layer: int, heads: int, height: int, width: int, told: Sequence[int] = ()
) -> Tensor:
    terms = _terms.get()  # none in a compiled graph of ours that runs a model call without a cast
    for term in terms:  # prompts first: they take a part of the text's place, and nothing of anybody's identity
        if term.prompts is not None:
            onto = term.prompts(onto, q, layer, heads, (height, width), told)
    for term in terms:
        onto = term(onto, q, k, layer, heads, (height, width), told)
    return onto


@torch.library.custom_op(NAME, mutates_args=(), schema=SCHEMA, tags=UNRECORDABLE)
def _opaque(onto, q, k, layer, heads, height, width):
    out = _attend(onto, q, k, layer, heads, height, width).contiguous()
    return out.clone() if out.data_ptr() == onto.data_ptr() else out  # an operation may not return its argument


@_opaque.register_fake
def _(onto, q, k, layer, heads, height, width):
    return torch.empty_like(onto, memory_format=torch.contiguous_format)
