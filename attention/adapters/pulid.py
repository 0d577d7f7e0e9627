"""PuLID's encoders, from a face embedding and the picture of the face to attention tokens: IDEncoder and IDFormer.

(PuLID, arXiv 2404.16022, and the layouts of its published files: IDEncoder in v1, IDFormer in v1.1.) Both read
    faces    [I, E]         raw face embeddings
    features [I, 5, L, V]   what EVA02-CLIP sees after five of its blocks; the first of L features is of the whole face
    vectors  [I, W]         its vector of the whole face, of length 1
and make tokens [I, T, width]. Built with an `operations` argument, as attention.adapters.projections.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .resampler import PerceiverAttention, feed_forward
from .spec import AdapterSpec

SCALES = 5  # of the picture's features, one after the other


def mapping(inputs: int, hidden: int, outputs: int, operations: Any, dtype: torch.dtype | None) -> nn.Sequential:
    """Three linear maps, with a norm and a leaky rectifier between them."""
    layers: list[nn.Module] = []
    for width in (inputs, hidden):
        layers += [operations.Linear(width, hidden, dtype=dtype), operations.LayerNorm(hidden, dtype=dtype)]
        layers.append(nn.LeakyReLU())
    return nn.Sequential(*layers, operations.Linear(hidden, outputs, dtype=dtype))


class IDEncoder(nn.Module):
    """PuLID v1: tokens of face and vector, then one token for each scale of the features."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.width = spec.projected_width
        inputs = spec.embedding_width + spec.vector_width
        self.body = mapping(inputs, spec.hidden, spec.face_tokens * self.width, operations, dtype)
        for scale in range(SCALES):
            for name in (f"mapping_{scale}", f"mapping_patch_{scale}"):
                self.add_module(name, mapping(spec.vision_width, spec.hidden, self.width, operations, dtype))

    def forward(self, faces: Tensor, features: Tensor, vectors: Tensor) -> Tensor:
        tokens = [self.body(torch.cat([faces, vectors], -1)).unflatten(-1, (-1, self.width))]
        for scale, seen in enumerate(features.unbind(1)):
            whole = self.get_submodule(f"mapping_{scale}")(seen[:, :1])
            patches = self.get_submodule(f"mapping_patch_{scale}")(seen[:, 1:])
            tokens.append(whole + patches.mean(1, keepdim=True))
        return torch.cat(tokens, 1)


class IDFormer(nn.Module):
    """PuLID v1.1: latents, learned ones and those of the face, ask the features scale by scale; the learned remain.

    Of several photos of a person, faces are [I, R, E], vectors [I, R, W], and features [I, 5, R * L, V].
    """

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        shape = spec.resampler
        self.width = shape.width
        self.latents = nn.Parameter(torch.zeros(1, shape.latents, shape.width, dtype=dtype))
        self.proj_out = nn.Parameter(torch.zeros(shape.width, shape.outputs, dtype=dtype))
        self.layers = nn.ModuleList(
            nn.ModuleList([PerceiverAttention(shape, operations, dtype), feed_forward(shape, operations, dtype)])
            for _ in range(shape.depth)
        )
        inputs = spec.embedding_width + spec.vector_width
        self.id_embedding_mapping = mapping(inputs, spec.hidden, spec.face_tokens * shape.width, operations, dtype)
        for scale in range(SCALES):
            self.add_module(f"mapping_{scale}", mapping(shape.inputs, spec.hidden, shape.width, operations, dtype))

    def forward(self, faces: Tensor, features: Tensor, vectors: Tensor) -> Tensor:
        own = self.id_embedding_mapping(torch.cat([faces, vectors], -1)).reshape(len(faces), -1, self.width)
        learned = self.latents.to(own).expand(len(own), -1, -1)
        latents = torch.cat([learned, own], 1)
        each = len(self.layers) // SCALES
        for scale, seen in enumerate(features.unbind(1)):
            context = torch.cat([own, self.get_submodule(f"mapping_{scale}")(seen)], 1)
            for attention, forward in self.layers[each * scale : each * (scale + 1)]:
                latents = attention(context, latents) + latents
                latents = forward(latents) + latents
        return latents[:, : learned.shape[1]] @ self.proj_out.to(latents)
