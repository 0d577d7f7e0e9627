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
from ..model.family import UNET
from ..model.repeated_rows import with_copies
from ..model.rows import Call, Row
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState

NO_NEGATIVES = (
    "Troupe: members' own negative prompts act in models with cross-attention (SD1.5, SDXL) alone; this one reads the "
    "picture's negative prompt everywhere."
)
KeysValues = Mapping[int, tuple[Tensor, Tensor]]  # by prompt length, [members with such a prompt, L, H*D] each


@dataclass(frozen=True, eq=False)
class Prompts(Effect):
    """Members' own prompts.

    tokens    : [I], text tokens [L, width] of each member's prompt, or None
    base      : the part that the picture's prompt keeps
    negatives : [I], the same of each member's negative prompt, which the negative prompt's rows read
    """

    blocks: tuple[CrossAttentionBlock, ...]
    tokens: tuple[Tensor | None, ...]
    base: float
    negatives: tuple[Tensor | None, ...]

    @classmethod
    def of(cls, given: Given) -> Prompts | None:
        """Raises ValueError for a prompt in several parts, or of another text encoder than the model's."""
        if not given.recipe.prompts or not given.strength:
            return None
        width = given.blocks[0].context if given.blocks else None
        tokens, negatives = prompts_of(given.cast, width), negatives_of(given.cast, width)
        if all(own is None for own in (*tokens, *negatives)):
            return None
        return cls(given.blocks, tokens, given.recipe.base, negatives)

    def begin(self, session: Session) -> PromptRun:
        """Its keys, values and layouts of a run."""
        return PromptRun(self, session)


def unused_prompts(cast: Cast, recipe: Recipe, kind: str = UNET) -> str:
    """A sentence about members' prompts that nothing reads, without names, as it stands in logs; else "".

    kind : of the model's family (model.family)
    """
    if recipe.prompts:
        left = kind != UNET and any(member.negative is not None for member in cast)
        return NO_NEGATIVES if left else ""
    count = sum(member.prompt is not None or member.negative is not None for member in cast)
    if not count:
        return ""
    whose = "one member has a prompt of their own" if count == 1 else f"{count} members have prompts of their own"
    return (
        f"Troupe: {whose}, and this recipe draws everybody by the picture's prompt alone. Recipes Troupe, MultiID, "
        "decoupled, masked and gated read them."
    )


def negatives_of(cast: Cast, width: int | None) -> tuple[Tensor | None, ...]:
    """Each member's negative prompt, see `prompts_of`."""
    return tuple(_tokens(member.identity.name, member.negative, width, "negative prompt") for member in cast)


def prompts_of(cast: Cast, width: int | None) -> tuple[Tensor | None, ...]:
    """Each member's prompt as text tokens [L, width], or None. Without a width, any is right.

    Raises ValueError where a prompt has several parts, or was made by a text encoder that is not the model's.
    """
    return tuple(_tokens(member.identity.name, member.prompt, width) for member in cast)


def _tokens(name: str, prompt: Any, width: int | None, what: str = "prompt") -> Tensor | None:
    if prompt is None:
        return None
    if len(prompt) != 1:
        raise ValueError(
            f"Troupe: the {what} of '{name}' has {len(prompt)} parts (from Conditioning Combine or a schedule), and a "
            "member's prompt is one text in one region. Join them with Conditioning Concat, or use the longest alone."
        )
    tokens = prompt[0][0]
    if width is not None and tokens.shape[-1] != width:
        raise ValueError(
            f"Troupe: the {what} of '{name}' has text tokens of width {tokens.shape[-1]}, and the model reads width "
            f"{width}. Encode it with the CLIP of this model's checkpoint."
        )
    return tokens[0].detach()


@dataclass(frozen=True, eq=False)
class Side:
    """The prompts that one kind of rows reads: the members' own, or their negative ones.

    tokens : [I], text tokens [L, width] of each member, or None
    """

    negative: bool
    tokens: tuple[Tensor | None, ...]

    @property
    def lengths(self) -> list[int]:
        """[I], 0 for a member without one."""
        return [0 if own is None else len(own) for own in self.tokens]

    def reads(self, row: Row) -> bool:
        """Whether rows of this kind read these prompts."""
        return row.negative if self.negative else row.positive


class PromptRun(EffectRun):
    """The prompts of one cast in one run: keys and values from the model's own maps, and who reads which."""

    def __init__(self, effect: Prompts, session: Session) -> None:
        super().__init__()
        self.effect = effect
        self._shares = session.shares
        sides = Side(False, effect.tokens), Side(True, effect.negatives)
        self._sides = tuple(side for side in sides if any(side.lengths))

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With the members' prompts, in the rows of their kind. A ControlNet reads the picture's prompt alone."""
        if call.in_control:
            return terms
        for side in self._sides:
            if any(map(side.reads, call.rows.rows)):
                of_layers = self.keys_values(side, call.base, call.x.device, call.dtype)
                terms = replace(terms, prompts=(*terms.prompts, PromptTerm(self, side, call.rows, of_layers)))
        return terms

    def keys_values(self, side: Side, model: Any, device: torch.device, dtype: torch.dtype) -> tuple[KeysValues, ...]:
        """Of every layer. Made once in a run, unless hooks change the model's weights between calls."""

        def made() -> tuple[KeysValues, ...]:
            layers = (transformer_at(model, block.key).attn2 for block in self.effect.blocks)
            return tuple(_project(side, layer, device, dtype) for layer in layers)

        if getattr(getattr(model, "current_patcher", None), "current_hooks", None) is not None:
            return made()
        return self.kept(("keys and values", side.negative, device, dtype), made)

    def layout(
        self, side: Side, grid: tuple[int, int], call: Call, device: torch.device, dtype: torch.dtype
    ) -> PromptLayout:
        """Which rows of a call read which prompt, on a layer's grid."""

        def made() -> PromptLayout:
            reading = [side.reads(row) for row in call.rows]
            shares = self._shares.of_rows(grid, call)
            return lay_out_prompts(shares, reading, side.lengths, self.effect.base, call.images)

        return self.kept(("layout", side.negative, grid, call, device, dtype), lambda: made().to(device, dtype))


def _project(side: Side, layer: torch.nn.Module, device: torch.device, dtype: torch.dtype) -> KeysValues:
    made = {}
    for length in sorted({length for length in side.lengths if length}):
        text = torch.stack([own for own in side.tokens if own is not None and len(own) == length])
        text = text.to(device, dtype)
        made[length] = layer.to_k(text), layer.to_v(text)
    return made


@dataclass(frozen=True, eq=False)
class PromptTerm:
    """Everything that the layers of one call need to read members' prompts of one side."""

    run: PromptRun
    side: Side
    call: Call
    keys_values: tuple[KeysValues, ...]

    def __call__(
        self, onto: Tensor, q: Tensor, _k: Tensor, layer: int, heads: int, grid: tuple[int, int], groups: Sequence[int]
    ) -> Tensor:
        """A layer's attention to the text [B, N, H*D] with the members' own prompts mixed in."""
        call = self.call
        if len(q) != len(call.rows) * call.images:
            call = replace(call, rows=with_copies(call.rows, len(q), call.images, groups))
        layout = self.run.layout(self.side, grid, call, q.device, q.dtype)
        pairs = {length: (k.to(q), v.to(q)) for length, (k, v) in self.keys_values[layer].items()}
        return mix_prompts(onto, q, pairs, layout, heads)
