"""Is the first picture of Cast Board at its defaults as good as that of the template that is wired by hand?

Pairs of unseen people in the offline world: on the board's own two places, with the adapter that Apply Cast finds by
itself, at its default recipe and strength; and in the regions, with recipe, strength and prompts, of the template
`10 Two people, wired by hand`. Both with the same noise and prompt. Faces are found on the whole picture, without
knowing the regions, by a pack that only scores; a missing face has similarity 0 and is in the wrong place.
"""

from __future__ import annotations

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.samples import Samples
from ..figures.verdict import Row
from .offline_world.board_rows import BoardBench, board_rows
from .offline_world.workbench import FULL, QUICK, Workbench


def rows(settings: Settings) -> list[Row]:
    """All rows; pictures are drawn once and kept."""
    samples = Samples(settings.places.home / "bench" / "board-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    amounts = QUICK if settings.quick else FULL
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, amounts, samples, settings.console.status)
    return board_rows(BoardBench(bench, 8 if settings.quick else 48))
