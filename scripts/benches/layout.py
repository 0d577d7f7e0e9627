"""Do people stand where their regions are, and the nearer ones in front: with regions alone, and with Depth Layout?

Two to four unseen people in random regions of the offline world, decoupled, at each way's best strength (tuned on other
seeds). Faces and bodies are found on the whole picture without knowing the regions; who is missing is nowhere. Bodies
are found from faces by the colour of the shirt; the first rows say how well that works on rendered pictures. The last
rows are of the canvas on which regions are drawn: how long it takes over a movement of the mouse, in a real browser.
"""

from __future__ import annotations

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.samples import Samples
from ..figures.verdict import Row
from .editor_page.pointer_rows import pointer_rows
from .offline_world.layout_rows import LayoutBench, layout_rows
from .offline_world.workbench import FULL, QUICK, Workbench


def rows(settings: Settings) -> list[Row]:
    """All rows; pictures are drawn once and kept."""
    samples = Samples(settings.places.home / "bench" / "layout-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    amounts = QUICK if settings.quick else FULL
    bench = Workbench(ROOT / "demo" / "weights", settings.installation, amounts, samples, settings.console.status)
    pictures, tuning = (5, 2) if settings.quick else (48, 12)
    return [*layout_rows(LayoutBench(bench, pictures, tuning)), *pointer_rows(settings)]
