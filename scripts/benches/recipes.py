"""Every recipe on the offline world for one to six people: likeness, places, counts, and each member's own prompt.

Scenes, references and the depth ControlNet are those of the bench `world` (`bench.py world --recipes` runs this one),
on other seeds. The picture's prompt names everybody; recipes with local prompts also get each member's own: as many
people in the same place, who all look like this one. Faces are found on the whole picture without knowing the regions;
a missing face has similarity 0, is in the wrong place and shows nothing. Expression and look are read from the largest
face in each member's place. Every recipe runs at its own best strength: the highest mean of likeness, right place and
prompts, tuned on other seeds for one person and for two. Reference photos are encoded at 128 px, the world's own size.
Pictures of recipes with local prompts or references are drawn one at a time, those of the others in batches, from the
same noise.
"""

from __future__ import annotations

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.samples import Samples
from ..figures.verdict import Row
from .offline_world.recipe_company import FULL, QUICK, RecipeBench
from .offline_world.recipe_rows import recipe_rows
from .offline_world.workbench import FULL as AMOUNTS
from .offline_world.workbench import Workbench


def rows(settings: Settings) -> list[Row]:
    """All rows; pictures are drawn once and kept."""
    samples = Samples(settings.places.home / "bench" / "recipes-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, AMOUNTS, samples, settings.console.status)
    return recipe_rows(RecipeBench(bench, QUICK if settings.quick else FULL))
