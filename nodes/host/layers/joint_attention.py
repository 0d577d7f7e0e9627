"""The attention of joint-stream models, answered group by group: ComfyUI's one place for it, and what stands there.

ComfyUI asks `optimized_attention_override` in a call's transformer options for every attention of the model, with the
kernel it would have used. The place is one; whatever another pack left in it is called for each group instead of the
kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ....attention.routing.policies import RoutedGroup
from ....attention.routing.routed_attention import routed_attention
from .in_force import terms_now

PLACE = "optimized_attention_override"
Kernel = Callable[..., Tensor]
Patch = Callable[[dict], dict]


@dataclass(eq=False)
class Counts:
    """What became of the attention calls of a run.

    calls  : calls of the model
    routed : attention calls that were answered group by group
    lost   : calls of the model without the photos that were given to it
    other  : had another number of tokens or rows than was expected, and were left alone: (found, expected) -> how many
    """

    calls: int = 0
    routed: int = 0
    lost: int = 0
    other: dict[tuple[int, int], int] = field(default_factory=dict)

    def left_alone(self, found: int, expected: int) -> None:
        """Count a call that was left alone."""
        self.other[found, expected] = self.other.get((found, expected), 0) + 1


@dataclass(frozen=True, eq=False)
class RowPart:
    """Rows of a batch with the same sequence.

    rows   : [R] int64, or None for all of them
    groups : (how many queries there are) -> the groups they attend in
    """

    rows: Tensor | None
    groups: Callable[[int], Sequence[RoutedGroup]]


@dataclass(frozen=True, eq=False)
class RoutedStage:
    """Layers in a row that attend over sequences of one length.

    calls : how many layers these are, None for all that follow
    """

    length: int
    parts: tuple[RowPart, ...]
    calls: int | None = None


class JointAttention:
    """Answers the attention of one call of the model.

    batch  : how many rows it has
    patches: change what the model has made of its input, as ComfyUI's `post_input` patches do, one after the other
    """

    def __init__(
        self, stages: Sequence[RoutedStage], batch: int, counts: Counts, patches: Sequence[Patch] = ()
    ) -> None:
        self._stages = tuple(stages)
        self._batch = batch
        self._counts = counts
        self._patches = tuple(patches)
        self._inner: Kernel | None = None
        self._calls = 0

    def in_place(self, options: dict) -> dict:
        """The call's transformer options with the answer in its place; those given do not change."""
        found = options.get(PLACE)
        self._inner = None if found is answer else found
        self._counts.calls += 1
        options = {**options, PLACE: answer}
        if self._patches:
            patches = options.get("patches", {})
            options["patches"] = {**patches, "post_input": [*patches.get("post_input", ()), *self._patches]}
        return options

    def __call__(self, kernel: Kernel, q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None, rest: dict):
        """An attention layer; one whose sequence is not the expected one attends as if nobody had asked."""

        def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
            if self._inner is not None:
                return self._inner(kernel, q, k, v, heads, mask=mask, **rest)
            return kernel(q, k, v, heads, mask=mask, **rest)

        axis = 2 if rest.get("skip_reshape") else 1
        stage = self._stage()
        if k.shape[axis] != stage.length or q.shape[axis] > stage.length or len(q) != self._batch:
            self._counts.left_alone(k.shape[axis], stage.length)
            return attend(q, k, v, mask)
        axes = axis, 2 if rest.get("skip_output_reshape") else 1
        out = self._routed(attend, (q, k, v), stage.parts, mask, axes)
        self._counts.routed += 1
        return out

    def _stage(self) -> RoutedStage:
        self._calls += 1
        passed = 0
        for stage in self._stages:
            passed += stage.calls or 0
            if stage.calls is None or self._calls <= passed:
                return stage
        return self._stages[-1]

    def _routed(self, attend, qkv: Sequence[Tensor], parts: Sequence[RowPart], mask, axes: tuple[int, int]) -> Tensor:
        queries = qkv[0].shape[axes[0]]
        if len(parts) == 1:
            return routed_attention(attend, *qkv, parts[0].groups(queries), mask, axes)
        out = None
        for part in parts:
            some = (t.index_select(0, part.rows) for t in qkv)
            per_row = mask is not None and mask.ndim > 2 and len(mask) == self._batch
            own = mask.index_select(0, part.rows) if per_row else mask
            found = routed_attention(attend, *some, part.groups(queries), own, axes)
            if out is None:
                out = found.new_empty(self._batch, *found.shape[1:])
            out.index_copy_(0, part.rows, found)
        return out


@torch.compiler.disable
def answer(kernel: Kernel, q: Tensor, k: Tensor, v: Tensor, heads: int, *args: Any, mask=None, **rest: Any) -> Tensor:
    """What stands in the place: it holds nothing itself, so that a compiled graph with it in serves any cast, or none.

    torch.compile does not look into it: a graph ends before each attention and another begins behind it.
    """
    if args:  # as a kernel takes it: mask, attn_precision
        mask, *precision = args
        rest.update(zip(("attn_precision",), precision, strict=False))
    term = terms_now().joint
    if term is None:
        return kernel(q, k, v, heads, mask=mask, **rest)
    return term(kernel, q, k, v, heads, mask, rest)
