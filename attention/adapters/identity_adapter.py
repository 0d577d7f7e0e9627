"""An adapter's modules, from inputs to tokens and from tokens to keys and values, and sources of unlike length.

Built with an `operations` argument (a namespace with Linear and LayerNorm), so that the host can cast and move their
weights; `torch.nn` serves everywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .inputs import AdapterInputs
from .projections import projection_of
from .pulid_flux import crossings_of
from .spec import AdapterSpec
from .weights import AdapterWeights


class IdentityAdapter(nn.Module):
    """An adapter's projection and, for every cross-attention layer, its maps to keys and values."""

    def __init__(self, spec: AdapterSpec, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()

        def maps() -> nn.ModuleList:
            return nn.ModuleList(
                operations.Linear(spec.cross_width, width, bias=False, dtype=dtype) for width in spec.layer_widths
            )

        self.spec = spec
        self.projection = projection_of(spec, operations, dtype)
        self.to_key = maps()
        self.to_value = maps()
        self.crossings = crossings_of(spec, operations, dtype)

    def load(self, weights: AdapterWeights, assign: bool = False) -> None:
        """Take the weights of a file; `assign` keeps the file's own tensors instead of copying from them."""
        state = {f"projection.{key}": value for key, value in weights.projection.items()}
        state |= {f"to_key.{index}.weight": value for index, value in enumerate(weights.keys)}
        state |= {f"to_value.{index}.weight": value for index, value in enumerate(weights.values)}
        state |= {f"crossings.{key}": value for key, value in weights.crossings.items()}
        self.load_state_dict(state, assign=assign)

    def tokens(self, inputs: AdapterInputs) -> Tensor:
        """The tokens of each row, [R, T, projected width]."""
        vectors = () if inputs.vectors is None else (inputs.vectors,)
        return self.projection(inputs.faces, inputs.features, *vectors)

    def keys_and_values(self, tokens: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        """[S, T, cross width] -> keys and values of one layer, each [S, T, layer width]."""
        if self.crossings:
            tokens = self.crossings[layer].norm1(tokens)
        return self.to_key[layer](tokens), self.to_value[layer](tokens)


def join_sources(parts: Sequence[Tensor], kinds: Sequence[Hashable] = ()) -> Tensor:
    """One tensor for the tokens of adapters with different token counts.

    Repeating all tokens of a source equally often leaves its softmax unchanged (equal keys split their weight), so
    every source is repeated up to the least common multiple and no padding mask is needed.

    parts : [S_a, T_a, C] each
    kinds : of the parts, where those of unlike kinds are read in calls of their own. Each kind has its own multiple,
            and the shorter ones zeros behind it, which are not to be read.
    returns [sum of S_a, T, C]
    """
    kinds = kinds or [None] * len(parts)
    counts = {
        kind: math.lcm(*(p.shape[1] for p, own in zip(parts, kinds, strict=True) if own == kind)) for kind in kinds
    }
    most = max(counts.values())
    whole = [part.repeat(1, counts[kind] // part.shape[1], 1) for part, kind in zip(parts, kinds, strict=True)]
    return torch.cat([torch.nn.functional.pad(part, (0, 0, 0, most - part.shape[1])) for part in whole])
