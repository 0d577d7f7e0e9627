"""Effect: members' own prompts in cross-attention, each read in its member's region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ....attention.operators.local_prompts import PromptLayout, lay_out_prompts, mix_prompts
from ....attention.recipes.cast import Cast
from ....attention.recipes.recipe import Recipe
from ..layers.in_force import Terms
from ..model.blocks import CrossAttentionBlock, transformer_at
from ..model.repeated_rows import with_copies
from ..model.rows import Call
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState

KeysValues = Mapping[int, tuple[Tensor, Tensor]]  # by prompt length, [members with such a prompt, L, H*D] each


@dataclass(frozen=True, eq=False)
class Prompts(Effect):
    """Members' own prompts.

    tokens : [I], text tokens [L, width] of each member's prompt, or None
    base   : the part that the picture's prompt keeps
    """

    blocks: tuple[CrossAttentionBlock, ...]
    tokens: tuple[Tensor | None, ...]
    base: float

    @classmethod
    def of(cls, given: Given) -> Prompts | None:
        """Raises ValueError for a prompt in several parts, or of another text encoder than the model's."""
        if not given.recipe.prompts or not given.strength:
            return None
        tokens = prompts_of(given.cast, given.blocks[0].context if given.blocks else None)
        if all(own is None for own in tokens):
            return None
        return cls(given.blocks, tokens, given.recipe.base)

    def begin(self, session: Session) -> PromptRun:
        """Its keys, values and layouts of a run."""
        return PromptRun(self, session)


def unused_prompts(cast: Cast, recipe: Recipe) -> str:
    """A sentence about members' prompts that a recipe does not read, without names, as it stands in logs; else ""."""
    count = 0 if recipe.prompts else sum(member.prompt is not None for member in cast)
    if not count:
        return ""
    whose = "one member has a prompt of their own" if count == 1 else f"{count} members have prompts of their own"
    return (
        f"Troupe: {whose}, and this recipe draws everybody by the picture's prompt alone. Recipes Troupe, MultiID, "
        "decoupled, masked and gated read them."
    )


def prompts_of(cast: Cast, width: int | None) -> tuple[Tensor | None, ...]:
    """Each member's prompt as text tokens [L, width], or None. Without a width, any is right.

    Raises ValueError where a prompt has several parts, or was made by a text encoder that is not the model's.
    """
    return tuple(_tokens(member.identity.name, member.prompt, width) for member in cast)


def _tokens(name: str, prompt: Any, width: int | None) -> Tensor | None:
    if prompt is None:
        return None
    if len(prompt) != 1:
        raise ValueError(
            f"Troupe: the prompt of '{name}' has {len(prompt)} parts (from Conditioning Combine or a schedule), and a "
            "member's prompt is one text in one region. Join them with Conditioning Concat, or use the longest alone."
        )
    tokens = prompt[0][0]
    if width is not None and tokens.shape[-1] != width:
        raise ValueError(
            f"Troupe: the prompt of '{name}' has text tokens of width {tokens.shape[-1]}, and the model reads width "
            f"{width}. Encode it with the CLIP of this model's checkpoint."
        )
    return tokens[0].detach()


class PromptRun(EffectRun):
    """The prompts of one cast in one run: keys and values from the model's own maps, and who reads which."""

    def __init__(self, effect: Prompts, session: Session) -> None:
        super().__init__()
        self.effect = effect
        self._shares = session.shares
        self._lengths = [0 if prompt is None else len(prompt) for prompt in effect.tokens]

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With the members' prompts, in the positive prompt's rows. A ControlNet reads the picture's prompt alone."""
        if call.in_control or not any(row.positive for row in call.rows.rows):
            return terms
        of_layers = self.keys_values(call.base, call.x.device, call.dtype)
        return replace(terms, prompts=(*terms.prompts, PromptTerm(self, call.rows, of_layers)))

    def keys_values(self, model: Any, device: torch.device, dtype: torch.dtype) -> tuple[KeysValues, ...]:
        """Of every layer. Made once in a run, unless hooks change the model's weights between calls."""

        def made() -> tuple[KeysValues, ...]:
            layers = (transformer_at(model, block.key).attn2 for block in self.effect.blocks)
            return tuple(self._project(layer, device, dtype) for layer in layers)

        if getattr(getattr(model, "current_patcher", None), "current_hooks", None) is not None:
            return made()
        return self.kept(("keys and values", device, dtype), made)

    def _project(self, layer: torch.nn.Module, device: torch.device, dtype: torch.dtype) -> KeysValues:
        made = {}
        for length in sorted({length for length in self._lengths if length}):
            text = torch.stack([own for own in self.effect.tokens if own is not None and len(own) == length])
            text = text.to(device, dtype)
            made[length] = layer.to_k(text), layer.to_v(text)
        return made

    def layout(self, grid: tuple[int, int], call: Call, device: torch.device, dtype: torch.dtype) -> PromptLayout:
        """Which rows of a call read which prompt, on a layer's grid."""

        def made() -> PromptLayout:
            positive = [row.positive for row in call.rows]
            shares = self._shares.of_rows(grid, call)
            return lay_out_prompts(shares, positive, self._lengths, self.effect.base, call.images)

        return self.kept(("layout", grid, call, device, dtype), lambda: made().to(device, dtype))


@dataclass(frozen=True, eq=False)
class PromptTerm:
    """Everything that the layers of one call need to read members' prompts."""

    run: PromptRun
    call: Call
    keys_values: tuple[KeysValues, ...]

    def __call__(
        self, onto: Tensor, q: Tensor, _k: Tensor, layer: int, heads: int, grid: tuple[int, int], groups: Sequence[int]
    ) -> Tensor:
        """A layer's attention to the text [B, N, H*D] with the members' own prompts mixed in."""
        call = self.call
        if len(q) != len(call.rows) * call.images:
            call = replace(call, rows=with_copies(call.rows, len(q), call.images, groups))
        layout = self.run.layout(grid, call, q.device, q.dtype)
        pairs = {length: (k.to(q), v.to(q)) for length, (k, v) in self.keys_values[layer].items()}
        return mix_prompts(onto, q, pairs, layout, heads)
