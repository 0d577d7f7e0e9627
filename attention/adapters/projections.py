"""From a face embedding, image features or both to attention tokens: the projection of every adapter family.

(IP-Adapter, arXiv 2308.06721, and the layouts of its published weights.) Built with an `operations` argument (a
namespace with Linear and LayerNorm), so that the host can cast and move their weights; `torch.nn` serves elsewhere.
All have the same call: faces [I, embedding width] or None, features [I, vision width] or [I, L, vision width] or None,
to tokens [I, T, width]. PuLID's (attention.adapters.pulid) have a third argument.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .formats import FORMATS
from .pulid import IDEncoder, IDFormer
from .resampler import Resampler
from .spec import AdapterSpec


class LinearProjection(nn.Module):
    """Plain IP-Adapter: a linear map of an image embedding, cut into tokens, each normalised."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.width = spec.projected_width
        self.proj = operations.Linear(spec.vision_width, spec.tokens * self.width, dtype=dtype)
        self.norm = operations.LayerNorm(self.width, dtype=dtype)

    def forward(self, _faces: Tensor | None, features: Tensor) -> Tensor:
        return self.norm(self.proj(features).unflatten(-1, (-1, self.width)))


class FeatureProjection(nn.Module):
    """IP-Adapter full-face: a token for each image feature, by two linear maps."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            operations.Linear(spec.vision_width, spec.hidden, dtype=dtype),
            nn.GELU(),
            operations.Linear(spec.hidden, spec.projected_width, dtype=dtype),
            operations.LayerNorm(spec.projected_width, dtype=dtype),
        )

    def forward(self, _faces: Tensor | None, features: Tensor) -> Tensor:
        return self.proj(features)


class FaceIDProjection(nn.Module):
    """FaceID and portrait: two linear maps with a GELU between, cut into tokens, each normalised."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.width = spec.projected_width
        self.proj = nn.Sequential(
            operations.Linear(spec.embedding_width, spec.hidden, dtype=dtype),
            nn.GELU(),
            operations.Linear(spec.hidden, spec.tokens * self.width, dtype=dtype),
        )
        self.norm = operations.LayerNorm(self.width, dtype=dtype)

    def forward(self, faces: Tensor, _features: Tensor | None = None) -> Tensor:
        return self.norm(self.proj(faces).unflatten(-1, (-1, self.width)))


class FaceIDPlusProjection(FaceIDProjection):
    """FaceID-plus: the face's tokens ask the image's features.

    structure : in files with a shortcut (v2), how much of the image's answer is added to the face's own tokens
    """

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__(spec, operations, dtype)
        self.shortcut = FORMATS[spec.kind].shortcut
        self.structure = 1.0
        self.perceiver_resampler = Resampler(spec.resampler, operations, dtype)

    def forward(self, faces: Tensor, features: Tensor) -> Tensor:
        tokens = super().forward(faces)
        asked = self.perceiver_resampler(features, tokens)
        return tokens + self.structure * asked if self.shortcut else asked


class ResamplerProjection(Resampler):
    """Plus, portrait-unnorm and InstantID: learned latents ask the image's features, or the one of a face."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__(spec.resampler, operations, dtype)

    def forward(self, faces: Tensor | None, features: Tensor | None = None) -> Tensor:
        return super().forward(faces[:, None] if features is None else features)


MODULES = {
    "linear": LinearProjection,
    "mlp": FeatureProjection,
    "faceid": FaceIDProjection,
    "plus": FaceIDPlusProjection,
    "resampler": ResamplerProjection,
    "id encoder": IDEncoder,
    "id former": IDFormer,
}


def projection_of(spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> nn.Module:
    """The projection that a spec describes, with weights that are still to be loaded."""
    return MODULES[FORMATS[spec.kind].module](spec, operations, dtype)
