"""Everything that a patched model keeps about a cast."""

from __future__ import annotations

from dataclasses import dataclass

from ....attention.recipes.recipe import Recipe
from ....attention.regions.region import Region
from ..model.blocks import CrossAttentionBlock
from .effect import Effect
from .shares import Shares


@dataclass(frozen=True, eq=False)
class CastPatch:
    """Never changes, so that clones and branches may share it.

    key        : names this patch among others on the same model
    blocks     : the model's cross-attention layers in the order of adapter files
    regions    : [I], in the order of the cast
    compositor : a name from attention.regions.compositors
    recipe     : how the cast acts
    names      : [I] of the members, for what is shown of them
    effects    : what the cast does to the model
    picture_places : blocks behind which people may be added to the picture (JointFamily.picture_places)
    """

    key: str
    blocks: tuple[CrossAttentionBlock, ...]
    regions: tuple[Region, ...]
    compositor: str
    recipe: Recipe
    names: tuple[str, ...]
    effects: tuple[Effect, ...]
    picture_places: tuple[tuple[str, int], ...] = ()

    def shares(self) -> Shares:
        """Who holds which part of the picture, for one run."""
        return Shares(self.regions, self.compositor, self.recipe.feather, self.recipe.hard)
