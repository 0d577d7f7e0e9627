"""A ControlNet that acts in some regions alone: its residuals times the regions' masks, layer by layer.

Several of them in a chain add up, each in its own place: one person's pose or key points do not move anybody else (the
multi-identity use of InstantID's IdentityNet, arXiv 2401.07519, in its public region control).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ....attention.regions.feathering import feathered
from ....attention.regions.masks import cells_of, token_masks
from ....attention.regions.region import Region
from .around_control import AroundControl, crops_of


class RegionalControl(AroundControl):
    """Stands around a ControlNet of the host and passes on what it says inside of regions.

    inner   : the ControlNet, with its hint set
    regions : where it acts; where several overlap, it acts as in one
    feather : blur of their edges, in parts of the picture's shorter side
    weights : what multiplies it in each region; 1 where there are none
    """

    def __init__(
        self, inner: Any, regions: Sequence[Region], feather: float = 0.0, weights: Sequence[float] = ()
    ) -> None:
        super().__init__(inner)
        self.regions = tuple(regions)
        self.feather = feather
        self.weights = tuple(weights) or (1.0,) * len(self.regions)

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The residuals, as ComfyUI asks a ControlNet for them."""
        before = None
        if self.previous_controlnet is not None:
            before = self.previous_controlnet.get_control(x_noisy, t, cond, batched_number, transformer_options)
        own = self.inner.get_control(x_noisy, t, cond, batched_number, transformer_options)
        if own is None:
            return before
        parts = {name: [self._masked(part, x_noisy, transformer_options) for part in own[name]] for name in own}
        return self.control_merge(parts, before, None)

    def _masked(self, part: Tensor | None, x: Tensor, options: dict) -> Tensor | None:
        if part is None:
            return None
        tokens = part.ndim == 3  # [B, N, C], of models whose one attention has the picture in it
        grid = _token_grid(x, part.shape[1]) if tokens else tuple(part.shape[-2:])
        masks = torch.stack([self._mask(grid, latent, area) for latent, area in crops_of(x, options)])
        masks = masks.repeat_interleave(len(part) // len(masks), 0) if len(masks) > 1 else masks
        return part * (masks.flatten(1)[..., None] if tokens else masks[:, None]).to(part)

    def _mask(self, grid: tuple[int, int], latent: tuple[int, int], area: tuple | None) -> Tensor:
        """[H, W] on a layer's grid, in 0..1 times the weights; where regions overlap, their weights' mean."""
        regions = feathered(self.regions, self.feather, latent[1] / latent[0])
        masks = token_masks(regions, cells_of(grid, latent, area))
        if not len(masks):
            return torch.zeros(grid)
        weighted = masks * torch.tensor(self.weights)[:, None, None]
        return weighted.sum(0) / masks.sum(0).clamp(min=1)

    def copy(self) -> RegionalControl:
        """As every ControlNet can be copied: with its own settings, sharing the weights."""
        own = RegionalControl(self.inner.copy(), self.regions, self.feather, self.weights)
        self.copy_to(own)
        return own


def _token_grid(x: Tensor, count: int) -> tuple[int, int]:
    """Rows and columns of so many tokens of a latent picture, square patches of which they are."""
    height, width = x.shape[-2:]
    for patch in range(1, min(height, width) + 1):
        if -(-height // patch) * -(-width // patch) == count:
            return -(-height // patch), -(-width // patch)
    raise RuntimeError(
        f"Troupe: the ControlNet gives {count} tokens for a latent picture of {width} x {height}, which cannot be laid "
        "out in it. Connect this ControlNet with the stock Apply ControlNet."
    )


def apply_in_regions(
    positive: list,
    negative: list,
    control: Any,
    regions: Sequence[Region],
    feather: float,
    weights: Sequence[float] = (),
) -> tuple[list, list]:
    """Prompts with one more ControlNet, in regions alone; those given do not change.

    control : of the host, with its hint, strength and schedule set
    weights : what multiplies it in each region
    """
    made: dict[int, RegionalControl] = {}

    def with_control(values: dict) -> dict:
        before = values.get("control")
        if id(before) not in made:
            own = RegionalControl(copy.copy(control), regions, feather, weights)
            made[id(before)] = own.set_previous_controlnet(before)
        return {**values, "control": made[id(before)], "control_apply_to_uncond": False}

    return tuple([[text, with_control(values)] for text, values in prompt] for prompt in (positive, negative))
