"""What answers the layers of the model call that is running in this thread, and the guard that compiled graphs need.

A compiled graph holds nothing of a cast: no mask, no key, no number of members. Our layers are opaque operations in it,
which ask for the terms in force whenever they run. So one graph serves any cast, two patches at once, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol
from zlib import crc32

import torch
from torch import Tensor

from ....attention.isolation.isolated_convolutions import Kind
from ....attention.isolation.isolated_norms import Layer

# An operation that reads more than its arguments must not be replayed from a recorded CUDA graph.
CUDAGRAPH_UNSAFE = [tag for tag in (getattr(torch.Tag, "cudagraph_unsafe", None),) if tag is not None]


class CrossAttentionTerm(Protocol):
    """Answers cross-attention layers."""

    def __call__(
        self,
        onto: Tensor,
        q: Tensor,
        k: Tensor,
        layer: int,
        heads: int,
        grid: tuple[int, int],
        cond_or_uncond: Sequence[int],
    ) -> Tensor:
        """What comes out of a layer, [B, N, H*D], where `onto` is its attention to the text with keys `k` [B, L, H*D].

        layer : its number in the order of adapter files
        grid  : rows and columns of its tokens
        cond_or_uncond : positions of the groups of its rows, as its options have them
        """


class SelfAttentionTerm(Protocol):
    """Answers self-attention layers."""

    def acts(self, layer: int, grid: tuple[int, int], rows: int) -> bool:
        """Whether this layer is one that the term wants to see."""

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, layer: int, heads: int, grid: tuple[int, int]) -> Tensor | None:
        """The layer's self-attention, [B, N, H*D]; None to have it attend plainly."""


class ConvolutionTerm(Protocol):
    """Answers convolutions and group norms."""

    def __call__(self, kind: Kind, layer: Layer, x: Tensor) -> Tensor:
        """What a layer makes of x [B, C, H, W]."""


class JointTerm(Protocol):
    """Answers the attention of models that have one for text, picture and references."""

    def __call__(
        self,
        kernel: Callable[..., Tensor],
        q: Tensor,
        k: Tensor,
        v: Tensor,
        heads: int,
        mask: Tensor | None,
        rest: dict,
    ) -> Tensor:
        """A layer's attention. The arguments are ComfyUI's; `kernel` takes all but itself."""

    def in_place(self, options: dict) -> dict:
        """A call's transformer options in which the term is asked."""


class PictureAddition(Protocol):
    """Adds to the picture's tokens behind blocks of joint models."""

    def __call__(self, sequence: Tensor, layer: int, first: int) -> Tensor:
        """The sequence [B, L, C] behind a block, in which the picture begins at token `first`.

        layer : the number of its place, in the order of adapter files
        """


@dataclass(frozen=True, eq=False)
class Terms:
    """What answers the layers in one call of the model.

    prompts        : terms that take a part of the text's place, and nothing of anybody's identity: they come first
    identities     : terms that add to what came out of those
    self_attention : one term, or None for plain layers
    convolutions   : one term, or None for plain layers
    joint          : one term, or None for plain layers
    pictures       : terms that add to the picture behind blocks
    """

    prompts: tuple[CrossAttentionTerm, ...] = ()
    identities: tuple[CrossAttentionTerm, ...] = ()
    self_attention: SelfAttentionTerm | None = None
    convolutions: ConvolutionTerm | None = None
    joint: JointTerm | None = None
    pictures: tuple[PictureAddition, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is answered."""
        one = self.self_attention or self.convolutions or self.joint
        return bool(self.prompts or self.identities or self.pictures or one)


def joined(parts: Sequence[Terms]) -> Terms:
    """The terms of several patches, outermost first. In self-attention and convolutions the innermost one decides."""
    whole = Terms()
    for part in parts:
        whole = Terms(
            whole.prompts + part.prompts,
            whole.identities + part.identities,
            whole.self_attention,
            whole.convolutions,
            part.joint or whole.joint,
            whole.pictures + part.pictures,
        )
        if part.self_attention or part.convolutions:
            whole = replace(whole, self_attention=part.self_attention, convolutions=part.convolutions)
    return whole


NOTHING = Terms()
_terms: ContextVar[Terms] = ContextVar("troupe_terms", default=NOTHING)


def terms_now() -> Terms:
    """What answers the layers of the model call that is running in this thread."""
    return _terms.get()


@contextmanager
def in_force(terms: Terms) -> Iterator[None]:
    """Answer the layers of one model call, in this thread, with these terms; choose a graph that has our layers."""
    # ComfyUI's TorchCompileModel drops every guard on the transformer options, so a graph of the unpatched model would
    # pass for one of ours. Guards on torch's own state stay: this switch is one, of this thread alone, and does
    # nothing outside of autocast (inside, it makes autocast convert a weight again, with the same outcome).
    cached = torch.is_autocast_cache_enabled()
    token = _terms.set(terms)
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(cached)
        _terms.reset(token)


# Operations belong to the process: a second copy of the pack would take the place of the first one's, and of its terms.
NAMESPACE = f"troupe_{crc32(__name__.encode()):08x}"


def opaque(name: str, schema: str, run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An operation that torch.compile does not look into. Its outcome has the shape of its first argument."""
    full_name = f"{NAMESPACE}::{name}"
    operation = torch.library.custom_op(full_name, run, mutates_args=(), schema=schema, tags=CUDAGRAPH_UNSAFE)
    operation.register_fake(lambda like, *_: torch.empty_like(like, memory_format=torch.contiguous_format))
    return getattr(getattr(torch.ops, NAMESPACE), name)
