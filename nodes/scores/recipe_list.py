"""A list of recipes as text, a line for each: what Compare Recipes runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...attention.recipes.recipe import Recipe
from ...attention.recipes.recipe_book import ABLATIONS, RECIPE_BOOK
from ...measure.report import distinct

UNPATCHED = "unpatched"
DEFAULT = "\n".join([UNPATCHED, "Troupe", "MultiID", "AnyMS", "DynamicID", "InstantFamily"])


@dataclass(frozen=True)
class Entry:
    """A recipe to compare, or None for the model as it is, and its strength."""

    label: str
    recipe: Recipe | None
    strength: float


def recipes_by_name() -> dict[str, Recipe | None]:
    """Everything that can be compared: the model as it is, every recipe, and recipes changed by one of their parts."""
    ablated = {f"{name} {change}": recipe for name, changes in ABLATIONS.items() for change, recipe in changes.items()}
    return {UNPATCHED: None, **RECIPE_BOOK, **ablated}


def read_recipes(text: str, strength: float) -> list[Entry]:
    """The entries of a text with a recipe on each line, and a number after it where another strength is meant.

    Equal lines are told apart in their labels. Raises ValueError for an empty list or a name that there is not.
    """
    known = recipes_by_name()
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"Troupe, Compare Recipes: the list is empty. Write one of these on each line: {_names()}.")
    labels = distinct(lines)
    return [_entry(line, label, strength, known) for line, label in zip(lines, labels, strict=True)]


def _entry(line: str, label: str, strength: float, known: dict[str, Recipe | None]) -> Entry:
    name, number = re.fullmatch(r"(.*?)(?:\s(\d+(?:\.\d*)?|\.\d+))?", line).groups()
    if name not in known:
        raise ValueError(f"Troupe, Compare Recipes: there is no recipe '{name}'. There are: {_names()}.")
    return Entry(label, known[name], strength if number is None else float(number))


def _names() -> str:
    return ", ".join(recipes_by_name())
