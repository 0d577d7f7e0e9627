"""Many queue runs on one server, some of them interrupted, and the last ones again on a fresh server."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...bootstrap.installation import Installation
from ...hosting.accelerator import has_accelerator
from ...hosting.client import error_of
from .queue_runs import KINDS, prompt_of
from .watched_server import Look, WatchedServer

INTERRUPTED = "the run was interrupted"  # as hosting.client.error_of says it


@dataclass
class Endured:
    """What a long run left behind.

    looks        : what the process held after each run
    interrupted  : further runs that an interrupt ended
    untouched    : further runs that had ended before their interrupt came
    failed       : errors of runs, interrupted ones aside
    differences  : of each picture that a fresh server drew again, the largest in levels of 0 to 255
    """

    looks: list[Look] = field(default_factory=list)
    interrupted: int = 0
    untouched: int = 0
    failed: list[str] = field(default_factory=list)
    differences: list[int] = field(default_factory=list)


def endure(installation: Installation, runs: int, status: Callable[[str], None]) -> Endured:
    """Queue `runs` prompts and, in every round, one more that is interrupted at a random moment of its life."""
    found, pictures = Endured(), {}
    with _TemporaryServer(installation) as server:
        for run in range(runs):
            status(f"run {run + 1} of {runs}")
            seconds = _run(server, run, runs, found, pictures)
            if run % len(KINDS) == len(KINDS) - 1:
                _interrupt(server, run, seconds, found)
    status("a fresh server draws the last round again")
    with _TemporaryServer(installation) as server:
        for run, old in pictures.items():
            new = server.picture(server.run(prompt_of(run)))
            found.differences.append(int(np.abs(old.astype(int) - new).max()))
    return found


class _TemporaryServer(WatchedServer):
    """A watched server in a folder that goes with it."""

    def __init__(self, installation: Installation) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="troupe-endure-", ignore_cleanup_errors=True)
        super().__init__(installation, Path(self._folder.name), cpu=not has_accelerator(installation.python))

    def __exit__(self, *stated: object) -> None:
        super().__exit__(*stated)
        self._folder.cleanup()


def _run(server: WatchedServer, run: int, runs: int, found: Endured, pictures: dict[int, np.ndarray]) -> float:
    """One run, what the process holds after it, and of the last round the picture; its seconds."""
    begun = time.monotonic()
    entry = server.run(prompt_of(run))
    seconds = time.monotonic() - begun
    error = error_of(entry)
    if error:
        found.failed.append(f"run {run + 1}: {error}")
    elif run >= runs - len(KINDS):
        pictures[run] = server.picture(entry)
    found.looks.append(server.look())
    return seconds


def _interrupt(server: WatchedServer, run: int, seconds: float, found: Endured) -> None:
    """One more run, of any kind, with an interrupt within about the time that the last one took."""
    draw = random.Random(f"interrupt {run}")
    ended = error_of(server.interrupted(prompt_of(draw.randrange(10**6)), draw.uniform(0, seconds)))
    if ended is None:
        found.untouched += 1
    elif ended == INTERRUPTED:
        found.interrupted += 1
    else:
        found.failed.append(f"after run {run + 1}: {ended}")
