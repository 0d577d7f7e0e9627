"""How recipe Troupe was found: every knob of `decoupled` by itself for two and five people, then the best together.

Pictures, prompts and figures are those of the bench `recipes`, on seeds of their own; every candidate draws the same
scenes from the same noise, so gains are taken picture by picture. The merit of a picture is the mean of likeness, right
place and prompted parts. Strengths are those that are best for the mode alone. Last, the best settings less one knob
each: what does not pay there has no place in the recipe.
"""

from __future__ import annotations

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.samples import Samples
from ..figures.verdict import Row
from .offline_world.recipe_company import FULL, QUICK, RecipeBench
from .offline_world.recipe_search import Search, search_rows
from .offline_world.workbench import FULL as AMOUNTS
from .offline_world.workbench import Workbench

SCENES = 24


def rows(settings: Settings) -> list[Row]:
    """All rows; pictures are drawn once and kept."""
    samples = Samples(settings.places.home / "bench" / "search-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, AMOUNTS, samples, settings.console.status)
    recipes = RecipeBench(bench, QUICK if settings.quick else FULL)
    return list(search_rows(Search(recipes, 1 if settings.quick else SCENES)))
