"""The named ways to bring a cast into a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What a recipe sets.

    mode       : "decoupled": every identity has a softmax of its own (attention.decoupled)
    compositor : a name from attention.compositors, or None for the one that suits the regions' shapes
    """

    mode: str
    compositor: str | None = None


RECIPES = {"decoupled": Recipe(mode="decoupled")}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; ValueError with the names there are."""
    if name not in RECIPES:
        raise ValueError(f"Troupe: there is no recipe '{name}'. Choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
