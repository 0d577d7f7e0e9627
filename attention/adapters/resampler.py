"""The perceiver resampler of IP-Adapter Plus and FaceID-plus: latents that attend to the features of an image.

(IP-Adapter, arXiv 2308.06721, and the layout of its published weights; the perceiver is that of arXiv 2204.14198)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .spec import ResamplerShape

HEAD = 64  # numbers per head in every published file


class PerceiverAttention(nn.Module):
    """Latents attend to the image features and to themselves."""

    def __init__(self, shape: ResamplerShape, operations: Any, dtype: torch.dtype | None) -> None:
        super().__init__()
        inner = shape.heads * HEAD
        self.heads = shape.heads
        self.norm1 = operations.LayerNorm(shape.width, dtype=dtype)
        self.norm2 = operations.LayerNorm(shape.width, dtype=dtype)
        self.to_q = operations.Linear(shape.width, inner, bias=False, dtype=dtype)
        self.to_kv = operations.Linear(shape.width, 2 * inner, bias=False, dtype=dtype)
        self.to_out = operations.Linear(inner, shape.width, bias=False, dtype=dtype)

    def forward(self, features: Tensor, latents: Tensor) -> Tensor:
        """[I, L, width], [I, T, width] -> [I, T, width]"""
        features, latents = self.norm1(features), self.norm2(latents)
        keys_values = self.to_kv(torch.cat([features, latents], 1))
        return self.to_out(attend(self.to_q(latents), keys_values, self.heads))


def attend(q: Tensor, keys_values: Tensor, heads: int) -> Tensor:
    """[I, T, H*64], [I, L, 2*H*64] -> [I, T, H*64]. The scores' scale is split between q and k, as published."""
    parts = (q, *keys_values.chunk(2, -1))
    q, k, v = (part.unflatten(-1, (heads, HEAD)).transpose(1, 2) for part in parts)  # [I, H, T or L, 64]
    scores = (q * HEAD**-0.25) @ (k * HEAD**-0.25).mT
    return (scores.float().softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)


def feed_forward(shape: ResamplerShape, operations: Any, dtype: torch.dtype | None) -> nn.Sequential:
    """A norm and two linear maps with a GELU between."""
    return nn.Sequential(
        operations.LayerNorm(shape.width, dtype=dtype),
        operations.Linear(shape.width, shape.hidden, bias=False, dtype=dtype),
        nn.GELU(),
        operations.Linear(shape.hidden, shape.width, bias=False, dtype=dtype),
    )


class Resampler(nn.Module):
    """Image features to tokens, through latents that are learned or given."""

    def __init__(self, shape: ResamplerShape, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        if shape.latents:
            self.latents = nn.Parameter(torch.zeros(1, shape.latents, shape.width, dtype=dtype))
        self.proj_in = operations.Linear(shape.inputs, shape.width, dtype=dtype)
        self.proj_out = operations.Linear(shape.width, shape.outputs, dtype=dtype)
        self.norm_out = operations.LayerNorm(shape.outputs, dtype=dtype)
        self.layers = nn.ModuleList(
            nn.ModuleList([PerceiverAttention(shape, operations, dtype), feed_forward(shape, operations, dtype)])
            for _ in range(shape.depth)
        )

    def forward(self, features: Tensor, latents: Tensor | None = None) -> Tensor:
        """Tokens of images.

        features : [I, L, inputs]
        latents  : [I, T, width]; None for the learned ones
        returns [I, T, outputs]
        """
        if latents is None:
            latents = self.latents.to(features).expand(len(features), -1, -1)
        features = self.proj_in(features)
        for attention, forward in self.layers:
            latents = attention(features, latents) + latents
            latents = forward(latents) + latents
        return self.norm_out(self.proj_out(latents))
