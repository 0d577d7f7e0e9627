"""What a cast needs while a picture is sampled: keys, values and layouts, made once and gone when sampling ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ....attention.feathering import feathered
from ....attention.layout import token_shares
from ....attention.masks import cells_of
from ....attention.modes import Layout, lay_out
from ....attention.recipes import Recipe
from ....attention.regions import Region
from ....attention.schedule import Window
from ..adapters.adapter_keys import KeysValues, keys_values_of
from ..self_attention.reference_photos import EncodedPhotos
from ..self_attention.self_terms import CrowdRun
from ..self_attention.severed_layers import SeveredLayer
from ..self_attention.severing import CutRun
from .blocks import CrossAttentionBlock
from .cast_call import Call
from .member_prompts import PromptRun
from .roles import Area
from .troop import Troop, copies_in, lengths_in, methods_of, repeats_in


@dataclass(frozen=True, eq=False)
class CastPatch:
    """Everything a patched model keeps about a cast; never changes, so clones and branches may share it.

    key        : names this patch among others on the same model
    blocks     : the model's cross-attention layers in adapter order
    troops     : one per adapter
    regions    : [I], in the order of the cast
    strengths  : [I], each member's times the whole cast's
    windows    : [I], the part of the schedule in which each member acts
    compositor : a name from attention.compositors
    recipe     : how identities act
    prompts    : [I], text tokens [L, width] of each member's own prompt, or None
    photos     : [I], each member's encoded reference photos, or None; nothing where the recipe uses none
    names      : [I] of the members, for what is shown of them
    severed    : the UNet's convolutions and group norms, where they keep people apart too
    """

    key: str
    blocks: tuple[CrossAttentionBlock, ...]
    troops: tuple[Troop, ...]
    regions: tuple[Region, ...]
    strengths: tuple[float, ...]
    windows: tuple[Window, ...]
    compositor: str
    recipe: Recipe
    prompts: tuple[Tensor | None, ...] = field(default=(), repr=False)
    photos: tuple[EncodedPhotos | None, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = ()
    severed: tuple[SeveredLayer, ...] = ()


class CastRun:
    """The caches of one sampling run of one cast. Sources are, troop by troop, its members' photos and then nobody."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch
        self._keys_values: dict[tuple[torch.device, torch.dtype], KeysValues] = {}
        self._composited: dict[tuple, Tensor] = {}
        self._layouts: dict[tuple, Layout] = {}
        self._text_repeats: dict[tuple, Tensor] = {}
        self._repeats = repeats_in(patch.troops)
        self._beside = methods_of(patch.troops), copies_in(patch.troops), lengths_in(patch.troops)
        self.prompts = PromptRun(patch.prompts, patch.recipe.base, self._shares)
        self.crowds = CrowdRun(patch.recipe.isolation, self._shares)
        self.cuts = CutRun(patch.recipe.isolation, self._shares)

    def close(self) -> None:
        """Let go of every tensor; a run that something still refers to holds no memory."""
        self._keys_values.clear()
        self._composited.clear()
        self._layouts.clear()
        self._text_repeats.clear()
        self.prompts.close()
        self.crowds.close()
        self.cuts.close()

    def keys_values(self, device: torch.device, dtype: torch.dtype) -> KeysValues:
        """The keys and values of all sources, [S, T, width] for each layer; projected on the first call of a run."""
        place = (device, dtype)
        if place not in self._keys_values:
            self._keys_values[place] = keys_values_of(self.patch.troops, self.patch.blocks, device, dtype)
        return self._keys_values[place]

    def layout(self, grid: tuple[int, int], call: Call, device: torch.device, dtype: torch.dtype) -> Layout:
        """Who acts where in the rows of a call, on a layer's grid."""
        key = (grid, call, device, dtype)
        if key not in self._layouts:
            patch = self.patch
            shares = torch.stack([self._shares(grid, call.latent, row.area) for row in call.rows])  # [G, N, I]
            acting = torch.tensor(patch.strengths) * torch.tensor(call.active)
            sources = self._sources(call)
            made = lay_out(patch.recipe, shares, acting, sources, self._repeats, *self._beside)
            self._layouts[key] = made.to(device, dtype)
        return self._layouts[key]

    def text_repeats(self, call: Call, length: int, device: torch.device) -> Tensor | None:
        """How often each row of the batch [B] has its prompt's tokens among `length`; None where all have them once.

        ComfyUI repeats prompts of unlike lengths until they are equally long, and so do packs with regional prompts.
        """
        repeats = [_repeats(length, row.tokens) for row in call.rows for _ in range(call.images)]
        if max(repeats) == 1:
            return None
        key = (tuple(repeats), device)
        if key not in self._text_repeats:
            self._text_repeats[key] = torch.tensor(repeats, dtype=torch.float32, device=device)
        return self._text_repeats[key]

    def _shares(self, grid: tuple[int, int], latent: tuple[int, int], area: Area | None) -> Tensor:
        """[N, I]: each member's share of the cells of a crop."""
        key = (grid, latent, area)
        if key not in self._composited:
            patch = self.patch
            regions = feathered(patch.regions, patch.recipe.feather, latent[1] / latent[0])
            shares = token_shares(regions, cells_of(grid, latent, area), patch.compositor, patch.recipe.hard)
            self._composited[key] = shares.flatten(1).mT  # [I, H, W] -> [N, I]
        return self._composited[key]

    def _sources(self, call: Call) -> Tensor:
        """[G, images, I]: in the positive prompt's rows each member's own photo, in all others nobody."""
        sources = torch.zeros(len(call.rows), call.images, len(self.patch.regions), dtype=torch.long)
        positive = torch.tensor([row.positive for row in call.rows])[:, None]
        first = 0
        for troop in self.patch.troops:
            nobody = first + troop.people
            for member, photos in zip(troop.members, troop.photos, strict=True):
                own = first + torch.arange(call.images) % photos
                sources[..., member] = torch.where(positive, own[None], nobody)
                first += photos
            first = nobody + 1
        return sources


def _repeats(length: int, tokens: int | None) -> int:
    return length // tokens if tokens and length % tokens == 0 else 1
