"""Each member's share of the cells of a layer, made once in a sampling run for all effects."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ....attention.regions.feathering import feathered
from ....attention.regions.masks import cells_of
from ....attention.regions.region import Region
from ....attention.regions.shares import token_shares
from ..model.rows import Area, Call

Grid = tuple[int, int]


class Shares:
    """Shares on every grid and of every crop that a run asks for.

    compositor : a name from attention.regions.compositors
    feather, hard : see attention.recipes.recipe.Recipe
    """

    def __init__(self, regions: Sequence[Region], compositor: str, feather: float = 0.0, hard: bool = False) -> None:
        self._regions = tuple(regions)
        self._compositor = compositor
        self._feather = feather
        self._hard = hard
        self._made: dict[tuple, Tensor] = {}

    def of(self, grid: Grid, latent: Grid, area: Area | None) -> Tensor:
        """[N, I]: each member's share of the cells of a crop; `latent` rows and columns of the whole picture."""
        key = (grid, latent, area)
        if key not in self._made:
            regions = self._regions
            if self._feather:
                regions = feathered(regions, self._feather, latent[1] / latent[0])
            shares = token_shares(regions, cells_of(grid, latent, area), self._compositor, self._hard)
            self._made[key] = shares.flatten(1).mT  # [I, H, W] -> [N, I]
        return self._made[key]

    def of_rows(self, grid: Grid, call: Call) -> Tensor:
        """[G, N, I]: the same for each group of rows of a call."""
        return torch.stack([self.of(grid, call.latent, row.area) for row in call.rows])

    def close(self) -> None:
        """Let go of every tensor."""
        self._made.clear()
