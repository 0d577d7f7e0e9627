"""What routing people costs in models of one attention: the part of `speed` about them, by itself.

One attention and one whole double block of FLUX.1's width (24 heads of 128, 3072 numbers a token), routed and not in
turns, for one to eight people and 1.6k to 12.8k tokens and more, beside the attention's work by count. What is finished
is kept, here and for `speed`.
"""

from __future__ import annotations

from ..benches import Settings
from ..figures.samples import Samples
from ..figures.verdict import Row
from .engine.rigs import Workshop
from .engine.routing_costs import speed_rows


def rows(settings: Settings) -> list[Row]:
    """All rows."""
    samples = Samples(settings.places.home / "bench" / "speed-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    return list(speed_rows(Workshop(settings.installation), samples, settings.quick, settings.console.status))
