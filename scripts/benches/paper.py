"""The four published systems and their ablations on the offline world, and whether what was published comes out again.

MultiID, AnyMS, DynamicID and InstantFamily as the recipe book has them, each also without the parts that its paper
takes away, for one to six people: how well the global prompt, each person's own prompt and each identity are kept
(three axes, as MultiID's IDBench is said to have, with the offline world's judges in place of CLIP and ArcFace). Eight
orderings were published with figures, four are read off MultiID's abstract, and InstantFamily's are ours. An ordering
holds where the system that was ahead has the higher figure, by an interval over the same scenes from the same noise; it
falls short where the other one has. Differences within the interval decide nothing. Every system runs at the strength
that is best for it in the bench `recipes`, its ablations at the same one, which flatters the whole system where a part
weakens people (DynamicID's gate); --quick does not look for it, and leaves four and five people out. Drawn pictures
are kept, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.samples import Samples
from ..figures.verdict import Row
from .offline_world.paper_rows import Paper, paper_rows
from .offline_world.recipe_company import FULL, QUICK, RecipeBench
from .offline_world.workbench import FULL as AMOUNTS
from .offline_world.workbench import Workbench

HURRIED = (1, 2, 3, 6)  # people
SCENES = {1: 16, 2: 48, 3: 48, 4: 16, 5: 16, 6: 16}  # more where orderings are looked at


def rows(settings: Settings) -> list[Row]:
    """All rows; strengths are those that the bench `recipes` has found, or are looked for now."""
    samples = Samples(settings.places.home / "bench" / "recipes-samples.jsonl", settings.key)
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, AMOUNTS, samples, settings.console.status)
    recipes = RecipeBench(bench, QUICK if settings.quick else FULL)
    scenes = dict.fromkeys(HURRIED, 1) if settings.quick else SCENES
    return list(paper_rows(Paper(recipes, scenes, tuned=not settings.quick)))
