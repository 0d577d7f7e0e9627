"""How far a reader walks: files, functions and lines that one patched model call runs, and how full rooms are.

Calls of a UNet in SDXL's structure, a tenth as wide, with two people: the first of a run, which makes what a run keeps,
and the second. Counted are files, functions and lines of attention/ and nodes/ that run in them, by Python's own
tracing, and the files of each of their rooms. tests/test_rooms.py holds that no files import each other.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from ...attention.recipes.recipe import RECIPES
from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.verdict import Figure, Row
from .engine.rigs import Shape, Workshop
from .engine.structures import SDXL
from .engine.timing import within_runs

WANTED_FILES = 30
ROOMS = ("attention", "nodes")


class Walk:
    """Notes every function and line of the pack's rooms that runs."""

    def __init__(self) -> None:
        self.functions: set[tuple[str, int]] = set()
        self.lines: set[tuple[str, int]] = set()

    @property
    def files(self) -> set[str]:
        """In which anything ran."""
        return {file for file, _ in self.functions}

    def note(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """A trace function, see sys.settrace."""
        file = Path(frame.f_code.co_filename)
        if not file.is_relative_to(ROOT) or file.relative_to(ROOT).parts[0] not in ROOMS:
            return None
        if event == "call":
            self.functions.add((str(file), frame.f_code.co_firstlineno))
        elif event == "line":
            self.lines.add((str(file), frame.f_lineno))
        return self.note


def rows(settings: Settings) -> list[Row]:
    """All rows."""
    workshop = Workshop(settings.installation)
    walked = cache(lambda: walks(workshop))
    found = []
    for number, (call, bound) in enumerate({"first call of a run": WANTED_FILES, "later call": None}.items()):
        for what in ("files", "functions", "lines"):

            def count(number: int = number, what: str = what) -> int:
                return len(getattr(walked()[number], what))

            found.append(_row(f"decoupled, two people, {call}: {what}", count, bound if what == "files" else None))
    rooms = Counter(file.parent.relative_to(ROOT).as_posix() for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return [*found, *(_row(f"files in {room}", lambda number=number: number) for room, number in sorted(rooms.items()))]


def walks(workshop: Workshop) -> tuple[Walk, Walk]:
    """What the first and the second call of a run go through."""
    rig = workshop.rig(Shape(SDXL.narrow(), torch.float32, 256))
    seen = Walk(), Walk()

    def calls(call: Any) -> None:
        for walk in seen:
            sys.settrace(walk.note)
            try:
                call()
            finally:
                sys.settrace(None)

    within_runs(rig.shape.structure, [rig.patched(RECIPES["decoupled"], 2)], rig.shape.size, calls)
    return seen


def _row(name: str, count: Any, bound: float | None = None) -> Row:
    def figure() -> Figure:
        number = float(count())
        return Figure(number, number, number, 1)

    return Row(name, "", figure, bound, least_samples=1)
