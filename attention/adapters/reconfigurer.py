"""DynamicID's Identity-Motion Reconfigurer: the tokens of a face with what the face does taken out, then put in.

(arXiv 2503.06505, section 3.3, and the layout of the released weights) Tokens x [R, T, W] of a photo, made by the
adapter's projection, are told apart from the photo's own motion by DisentangleNet and joined with another by
EntangleNet. A motion is [key points K; words V] and becomes a few tokens of its own:

    psi = GELU(linear(LN(GELU(linear(LN([key points; words]))))))      [R, M, D]
    x   = linear(LN(x));   x += A(x; psi_source), S(x), F(x) ...;   x += A(x; psi_target), S(x), F(x) ...
    out = linear(LN(x))

A reads the motion and the tokens, S the tokens, F is a feed-forward. Nothing of the input passes around them. The
released code folds heads into the batch and then takes them apart as if it had not, which cannot run as printed; the
attention of every published resampler is what is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .resampler import HEAD, PerceiverAttention, attend, feed_forward
from .spec import ResamplerShape


@dataclass(frozen=True)
class ReconfigurerShape:
    """Sizes of a reconfigurer.

    token    : numbers per token of the adapter
    points   : numbers that the key point encoder makes of a face
    words    : numbers of the words' vector
    width    : inside
    heads    : of 64 numbers each
    hidden   : width inside a feed-forward
    tokens   : that a motion becomes
    apart, together : layers of DisentangleNet and EntangleNet
    """

    token: int = 768
    points: int = 768
    words: int = 768
    width: int = 1024
    heads: int = 16
    hidden: int = 4096
    tokens: int = 4
    apart: int = 1
    together: int = 1

    @property
    def motion(self) -> int:
        """Numbers of a motion."""
        return self.points + self.words

    @property
    def layer(self) -> ResamplerShape:
        """Sizes of a layer's parts."""
        return ResamplerShape(self.width, self.width, self.heads, 1, self.hidden, self.width)


class TokenAttention(nn.Module):
    """Tokens attend to each other."""

    def __init__(self, shape: ResamplerShape, operations: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        inner = shape.heads * HEAD
        self.heads = shape.heads
        self.norm1 = operations.LayerNorm(shape.width, dtype=dtype)
        self.to_q = operations.Linear(shape.width, inner, bias=False, dtype=dtype)
        self.to_kv = operations.Linear(shape.width, 2 * inner, bias=False, dtype=dtype)
        self.to_out = operations.Linear(inner, shape.width, bias=False, dtype=dtype)

    def forward(self, tokens: Tensor) -> Tensor:
        """[R, T, width] -> [R, T, width]"""
        tokens = self.norm1(tokens)
        return self.to_out(attend(self.to_q(tokens), self.to_kv(tokens), self.heads))


class Reconfigurer(nn.Module):
    """Both nets, with the fusion of a motion's two halves; parameters bear the names of the released file."""

    def __init__(self, shape: ReconfigurerShape, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.shape = shape
        wide = shape.tokens * shape.width
        self.feature_fusion = nn.Sequential(
            operations.LayerNorm(shape.motion, dtype=dtype),
            operations.Linear(shape.motion, shape.width, dtype=dtype),
            nn.GELU(),
            operations.LayerNorm(shape.width, dtype=dtype),
            operations.Linear(shape.width, wide, dtype=dtype),
            nn.GELU(),
        )
        self.norm_in = operations.LayerNorm(shape.token, dtype=dtype)
        self.proj_in = operations.Linear(shape.token, shape.width, dtype=dtype)
        self.disentangleNet = self._layers(shape.apart, operations, dtype)
        self.entangleNet = self._layers(shape.together, operations, dtype)
        self.norm_out = operations.LayerNorm(shape.width, dtype=dtype)
        self.proj_out = operations.Linear(shape.width, shape.token, dtype=dtype)

    def _layers(self, count: int, operations: Any, dtype: torch.dtype | None) -> nn.ModuleList:
        layer = self.shape.layer
        return nn.ModuleList(
            nn.ModuleList(
                [
                    PerceiverAttention(layer, operations, dtype),
                    TokenAttention(layer, operations, dtype),
                    feed_forward(layer, operations, dtype),
                ]
            )
            for _ in range(count)
        )

    def forward(self, tokens: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """The tokens of faces that do something else.

        tokens         : [R, T, token]
        source, target : [R, motion], what the face on the photo does, and what it is to do
        returns [R, T, token]
        """
        motions = self.feature_fusion(torch.stack([source, target])).unflatten(-1, (-1, self.shape.width))
        tokens = self.proj_in(self.norm_in(tokens))  # [R, T, width]
        for layers, motion in zip((self.disentangleNet, self.entangleNet), motions, strict=True):
            for to_motion, to_tokens, forward in layers:
                tokens = to_motion(motion, tokens) + tokens
                tokens = to_tokens(tokens) + tokens
                tokens = forward(tokens) + tokens
        return self.proj_out(self.norm_out(tokens))
