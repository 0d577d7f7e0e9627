"""What members' own prompts bring to the cross-attention layers during one sampling run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ....attention.cast import Cast
from ....attention.local_prompts import PromptLayout, lay_out_prompts, mix_prompts
from .blocks import CrossAttentionBlock, transformer_at
from .cast_call import Call
from .roles import Area
from .row_copies import with_copies

Shares = Callable[[tuple[int, int], tuple[int, int], Area | None], Tensor]
KeysValues = Mapping[int, tuple[Tensor, Tensor]]  # by prompt length, [members with such a prompt, L, H*D] each


def prompts_of(cast: Cast, blocks: Sequence[CrossAttentionBlock]) -> tuple[Tensor | None, ...]:
    """Each member's prompt as text tokens [L, width], or None.

    Raises ValueError where a prompt has several parts, or was made by a text encoder that is not the model's.
    """
    return tuple(_tokens(member.identity.name, member.prompt, blocks) for member in cast)


def _tokens(name: str, prompt: Any, blocks: Sequence[CrossAttentionBlock]) -> Tensor | None:
    if prompt is None:
        return None
    if len(prompt) != 1:
        raise ValueError(
            f"Troupe: the prompt of '{name}' has {len(prompt)} parts (from Conditioning Combine or a schedule), and a "
            "member's prompt is one text in one region. Join them with Conditioning Concat, or use the longest alone."
        )
    tokens = prompt[0][0]
    width = blocks[0].context if blocks else tokens.shape[-1]
    if tokens.shape[-1] != width:
        raise ValueError(
            f"Troupe: the prompt of '{name}' has text tokens of width {tokens.shape[-1]}, and the model reads width "
            f"{width}. Encode it with the CLIP of this model's checkpoint."
        )
    return tokens[0].detach()


class PromptRun:
    """The prompts of one cast in one run: keys and values from the model's own maps, and who reads which."""

    def __init__(self, prompts: tuple[Tensor | None, ...], base: float, shares: Shares) -> None:
        self._prompts = prompts
        self._base = base
        self._shares = shares
        self._lengths = [0 if prompt is None else len(prompt) for prompt in prompts]
        self._keys_values: dict[tuple, tuple[KeysValues, ...]] = {}
        self._layouts: dict[tuple, PromptLayout] = {}

    def close(self) -> None:
        """Let go of every tensor."""
        self._keys_values.clear()
        self._layouts.clear()

    def keys_values(self, model: Any, blocks: Sequence[CrossAttentionBlock], device, dtype) -> tuple[KeysValues, ...]:
        """Of every layer. Made once in a run, unless hooks change the model's weights between calls."""
        key = (device, dtype)
        changing = getattr(getattr(model, "current_patcher", None), "current_hooks", None) is not None
        if changing or key not in self._keys_values:
            made = tuple(self._project(transformer_at(model, block.key).attn2, device, dtype) for block in blocks)
            if changing:
                return made
            self._keys_values[key] = made
        return self._keys_values[key]

    def _project(self, layer: torch.nn.Module, device: torch.device, dtype: torch.dtype) -> KeysValues:
        made = {}
        for length in sorted({length for length in self._lengths if length}):
            text = torch.stack([prompt for prompt in self._prompts if prompt is not None and len(prompt) == length])
            text = text.to(device, dtype)
            made[length] = layer.to_k(text), layer.to_v(text)
        return made

    def layout(self, grid: tuple[int, int], call: Call, device: torch.device, dtype: torch.dtype) -> PromptLayout:
        """Which rows of a call read which prompt, on a layer's grid."""
        key = (grid, replace(call, active=()), device, dtype)
        if key not in self._layouts:
            shares = torch.stack([self._shares(grid, call.latent, row.area) for row in call.rows])
            positive = [row.positive for row in call.rows]
            made = lay_out_prompts(shares, positive, self._lengths, self._base, call.images)
            self._layouts[key] = made.to(device, dtype)
        return self._layouts[key]


@dataclass(frozen=True, eq=False)
class PromptTerm:
    """Everything that the layers of one call need to read members' prompts."""

    run: PromptRun
    call: Call
    keys_values: tuple[KeysValues, ...]

    def __call__(
        self, onto: Tensor, q: Tensor, layer: int, heads: int, grid: tuple[int, int], told: Sequence[int]
    ) -> Tensor:
        """A layer's attention to the text [B, N, H*D] with the members' own prompts mixed in."""
        call = self.call
        if len(q) != len(call.rows) * call.images:
            call = replace(call, rows=with_copies(call.rows, len(q), call.images, told))
        layout = self.run.layout(grid, call, q.device, q.dtype)
        pairs = {length: (k.to(q), v.to(q)) for length, (k, v) in self.keys_values[layer].items()}
        return mix_prompts(onto, q, pairs, layout, heads)
