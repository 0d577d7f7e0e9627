"""What a cast needs while a picture is sampled: keys, values and pages, each made once and gone when sampling ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...attention.decoupled import Pages, paginate
from ...attention.layout import token_shares
from ...attention.masks import cells_of
from ...attention.projections import join_sources
from ...attention.regions import Region
from .adapter_model import LoadedAdapter
from .blocks import BlockKey, CrossAttentionBlock
from .roles import Area, Row

KeysValues = Mapping[BlockKey, tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class Troop:
    """The members of a cast who share an adapter.

    members    : [M] their places in the cast
    embeddings : [M, embedding width], unit length; never printed, because printed values reach logs
    """

    adapter: LoadedAdapter
    members: tuple[int, ...]
    embeddings: Tensor = field(repr=False)


@dataclass(frozen=True, eq=False)
class CastPatch:
    """Everything a patched model keeps about a cast; never changes, so clones and branches may share it.

    key        : names this patch among others on the same model
    blocks     : the model's cross-attention layers in adapter order
    troops     : one per adapter
    regions    : [I], in the order of the cast
    strengths  : [I], each member's times the whole cast's
    compositor : a name from attention.compositors
    """

    key: str
    blocks: tuple[CrossAttentionBlock, ...]
    troops: tuple[Troop, ...]
    regions: tuple[Region, ...]
    strengths: tuple[float, ...]
    compositor: str


class CastRun:
    """The caches of one sampling run of one cast. Sources are, troop by troop, its members and then nobody."""

    def __init__(self, patch: CastPatch) -> None:
        self.patch = patch
        self._keys_values: dict[tuple[torch.device, torch.dtype], KeysValues] = {}
        self._composited: dict[tuple, Tensor] = {}
        self._pages: dict[tuple, Pages] = {}

    def close(self) -> None:
        """Let go of every tensor; a run that something still refers to holds no memory."""
        self._keys_values.clear()
        self._composited.clear()
        self._pages.clear()

    def keys_values(self, device: torch.device, dtype: torch.dtype) -> KeysValues:
        """The keys and values of all sources, [S, T, width] for each layer; projected on the first call of a run."""
        place = (device, dtype)
        if place not in self._keys_values:
            self._keys_values[place] = self._project(device, dtype)
        return self._keys_values[place]

    def _project(self, device: torch.device, dtype: torch.dtype) -> KeysValues:
        modules = [troop.adapter.patcher.model for troop in self.patch.troops]
        tokens = [
            module.tokens(troop.embeddings.to(device)) for module, troop in zip(modules, self.patch.troops, strict=True)
        ]
        projected = {}
        for layer, block in enumerate(self.patch.blocks):
            pairs = [module.keys_and_values(part, layer) for module, part in zip(modules, tokens, strict=True)]
            keys, values = (join_sources(parts).to(dtype) for parts in zip(*pairs, strict=True))
            projected[block.key] = keys, values
        return projected

    def pages(
        self,
        grid: tuple[int, int],
        latent: tuple[int, int],
        rows: Sequence[Row],
        images: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Pages:
        """The rows that each source answers in a call of `len(rows)` groups of `images` pictures, on a layer's grid."""
        key = (grid, latent, tuple(rows), images, device, dtype)
        if key not in self._pages:
            share = torch.stack([self._share(grid, latent, row) for row in rows])  # [G, N, S]
            self._pages[key] = paginate(share, images).to(device, dtype)
        return self._pages[key]

    def _share(self, grid: tuple[int, int], latent: tuple[int, int], row: Row) -> Tensor:
        """[N, S]: the positive prompt's tokens see the members, all others see nobody with the same masks."""
        shares = self._members(grid, latent, row.area)
        return torch.cat([self._of_troop(shares, troop, row.positive) for troop in self.patch.troops], 1)

    def _members(self, grid: tuple[int, int], latent: tuple[int, int], area: Area | None) -> Tensor:
        """[N, I]: each member's share of the cells of a crop, times their strength."""
        key = (grid, latent, area)
        if key not in self._composited:
            patch = self.patch
            shares = token_shares(patch.regions, cells_of(grid, latent, area), patch.compositor)  # [I, H, W]
            self._composited[key] = shares.flatten(1).mT * torch.tensor(patch.strengths)
        return self._composited[key]

    @staticmethod
    def _of_troop(shares: Tensor, troop: Troop, positive: bool) -> Tensor:
        """[N, I] -> [N, M + 1]: the members' shares, or their sum on nobody, whose tokens are the same for all."""
        own = shares[:, list(troop.members)]
        nobody = own.sum(1, keepdim=True)
        return torch.cat([own, torch.zeros_like(nobody)] if positive else [torch.zeros_like(own), nobody], 1)
