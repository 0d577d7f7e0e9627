"""InstantID's IdentityNet for several people at once: a ControlNet that reads each face in its place, and no text.

out(x) = sum over people i of share_i(x) * softmax(q(x) K_i^T / sqrt(d)) V_i, and nobody's where no person has a share;
K_i and V_i are the ControlNet's own maps of person i's face tokens. (IdentityNet, arXiv 2401.07519, for one person;
its public region control runs the network once per person, and here it runs once)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from ....attention.operators.decoupled import identity_attention
from ....attention.operators.packed_rows import PackedRows, pack_rows
from ....attention.regions.feathering import feathered
from ....attention.regions.masks import cells_of
from ....attention.regions.region import Region
from ....attention.regions.shares import token_shares
from ..model.blocks import control_blocks
from ..model.rows import Area
from .around_control import AroundControl, crops_of
from .control_layers import with_layers

Grid = tuple[int, int]


@dataclass(frozen=True)
class Places:
    """Where people stand.

    regions    : [I], in the order of the cast
    compositor : who is in front where they overlap, a name from attention.regions.compositors
    feather    : blur of their edges, in parts of the picture's shorter side
    """

    regions: tuple[Region, ...]
    compositor: str
    feather: float = 0.0

    def shares(self, grid: Grid, latent: tuple[int, int], area: Area | None) -> Tensor:
        """Each person's share of the cells of a crop, and last nobody's, [N, I + 1]; they sum to 1."""
        regions = feathered(self.regions, self.feather, latent[1] / latent[0])
        shares = token_shares(regions, cells_of(grid, latent, area), self.compositor).flatten(1).mT
        left = (1 - shares.sum(-1, keepdim=True)).clamp(min=0)
        return torch.cat([shares, torch.where(left < 1e-6, torch.zeros_like(left), left)], -1)


class IdentityNet(AroundControl):
    """Stands around a ControlNet of the host whose context are face tokens.

    It acts in the whole picture and in no chain: a RegionalControl around it sees to both.

    inner  : the ControlNet, with its hint set
    places : where people stand
    key    : under which a conditioning holds the tokens of its row, [1, (I + 1) * T, width]: T of each person, in the
             order of `places`, and of nobody
    """

    def __init__(self, inner: Any, places: Places, key: str) -> None:
        super().__init__(inner)
        self.places = places
        self.key = key
        self._run: _Run | None = None

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The residuals, as ComfyUI asks a ControlNet for them. Raises RuntimeError for rows without face tokens."""
        if self.key not in cond:
            raise RuntimeError(
                "Troupe, Apply IdentityNet: a prompt has the IdentityNet and not the faces that it reads. Another node "
                "took them out of the prompt; put Apply IdentityNet after it."
            )
        if self._run is None:  # not before the run has begun: it sets up the ControlNet itself
            self._run = _Run(self.inner, self.places)
        own = self._run.control(x_noisy, crops_of(x_noisy, transformer_options))
        faces = {**cond, "crossattn_controlnet": cond[self.key]}
        return own.get_control(x_noisy, t, faces, batched_number, transformer_options)

    def copy(self) -> IdentityNet:
        """As every ControlNet can be copied: with its own settings, sharing the weights."""
        own = IdentityNet(self.inner.copy(), self.places, self.key)
        self.copy_to(own)
        return own

    def pre_run(self, model: Any, percent_to_timestep_function: Any) -> None:
        """Before a sampling run. Raises RuntimeError for a model that no IdentityNet was trained beside."""
        if not isinstance(model.diffusion_model, UNetModel):
            raise RuntimeError(
                f"Troupe, Apply IdentityNet: the model is a {type(model.diffusion_model).__name__}, and InstantID's "
                "ControlNet says where faces are in Stable Diffusion XL. Take Apply IdentityNet out: Apply Cast by "
                "itself binds people to their regions in this model."
            )
        super().pre_run(model, percent_to_timestep_function)
        self._run = None  # a run that ended in an error leaves its own behind

    def cleanup(self) -> None:
        """After a sampling run."""
        super().cleanup()
        self._run = None


class _Run:
    """The ControlNet of one sampling run, with layers that know who stands where in a call."""

    def __init__(self, given: Any, places: Places) -> None:
        self._model = given.control_model
        self._own = copy.copy(given)
        self._places = places
        self._blocks = control_blocks(self._model)
        self._latest: tuple[tuple, Any] | None = None

    def control(self, x: Tensor, crops: Sequence[tuple[tuple[int, int], Area | None]]) -> Any:
        """The ControlNet for a call with these crops; made again only when a call is unlike the last one."""
        key = (tuple(x.shape), tuple(crops), x.device)
        if self._latest is None or self._latest[0] != key:
            grids = {(-(-x.shape[-2] >> block.level), -(-x.shape[-1] >> block.level)) for block in self._blocks}
            pages = {grid: self._pages(grid, crops, len(x) // len(crops), x.device) for grid in grids}
            layer = _IdentityLayer(pages, len(self._places.regions) + 1)
            self._latest = key, with_layers(self._model, {block.key: layer for block in self._blocks})
        self._own.control_model = self._latest[1]
        return self._own

    def _pages(
        self, grid: Grid, crops: Sequence[tuple[tuple[int, int], Area | None]], images: int, device: torch.device
    ) -> PackedRows:
        shares = torch.stack([self._places.shares(grid, *crop) for crop in crops])  # [G, N, I + 1]
        blocks = torch.arange(len(crops) * images * shares.shape[-1]).view(len(crops), images, -1)
        return pack_rows(shares, images, blocks).to(device, torch.float32)


@dataclass(frozen=True, eq=False)
class _IdentityLayer:
    """What stands in the place of a layer's attention to the text.

    pages  : of each grid of the call; row b of the batch reads the blocks b * people to (b + 1) * people
    people : blocks of tokens in every row
    """

    pages: Mapping[Grid, PackedRows]
    people: int

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        pages = self.pages[tuple(extra_options["activations_shape"][-2:])]
        k, v = (part.unflatten(1, (self.people, -1)).flatten(0, 1) for part in (k, v))
        return identity_attention(torch.zeros_like(q), q, k, v, pages, extra_options["n_heads"])
