"""A set-up killed at ten random moments, then left to finish: whether it heals, and what differs from a fresh one.

In a folder of its own `python scripts/demo.py` runs once without a kill, which tells how long each step takes. Then it
is taken away and set up again: ten times the whole process group gets SIGKILL, at moments drawn uniformly over a whole
set-up, and the next start goes on with what is there. The last start is left alone. Its files and its picture are
compared with the first set-up's. pip is the real one, with whatever cache and index it is configured with: about
7.5 GB of disk, and the time of about four set-ups. --quick kills three times, and still takes the time of three.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from ..benches import Settings
from ..bootstrap.errors import Refusal
from ..figures.verdict import Figure, Row
from .set_ups.killed import SetUps, kill_set_ups

KILLS, QUICK_KILLS = 10, 3
ROUNDING = 1  # level of 255, as in the bench `endure`


def rows(settings: Settings) -> list[Row]:
    """All rows; the set-ups are made once for all of them. Raises Refusal where there are no process groups."""
    if os.name == "nt":
        raise Refusal("This bench kills process groups with POSIX signals, which Windows does not have.")
    kills = QUICK_KILLS if settings.quick else KILLS

    @cache
    def made() -> SetUps:
        found = kill_set_ups(settings.places.home / "bench" / "set-up", kills, settings.console.status)
        for line in (*found.said, *found.left, *found.changed[:20]):
            settings.console.say(f"  {line}")
        return found

    def counted(says: str, count: Callable[[SetUps], float], bound: float | None = 0, unit: str = "", **more) -> Row:
        def measure() -> Figure:
            value = count(made())
            return Figure(value, value, value, 1)

        return Row(says, unit, measure, bound, least_samples=1, **more)

    return [
        counted("a set-up without a kill", lambda s: sum(s.fresh_seconds.values()), None, "s"),
        counted("kills that fell into a set-up", lambda s: len(s.killed_in), kills, at_most=False),
        counted("steps of the set-up, of six, into which a kill fell", lambda s: len(set(s.killed_in)), None),
        counted("kills that the next start survived", lambda s: s.survived, kills, at_most=False),
        counted("from the last start to the picture", lambda s: s.healed_seconds, None, "s"),
        counted("lines of restarts that are no words of the set-up", lambda s: len(s.said)),
        counted("things left over: scratch, downloads, half packages, locks", lambda s: len(s.left)),
        counted("files that differ from those of the set-up without a kill", lambda s: len(s.changed)),
        counted("largest change of a pixel of the demo's picture, of 255", lambda s: s.difference, ROUNDING),
    ]
