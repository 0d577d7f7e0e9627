"""How far a reader walks: files, functions and lines of the pack that one patched model call runs, and how full rooms are.

One call of a UNet in SDXL's structure, a tenth as wide, with two people; the call before it has made what a run keeps.
Counted are files, functions and lines of attention/ and nodes/ that run in it, by Python's own tracing, and the files
of each of their rooms. tests/test_rooms.py holds that no files import each other.
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
    walked = cache(lambda: walk(workshop))
    counts = {
        "files": (lambda: len(walked().files), WANTED_FILES),
        "functions": (lambda: len(walked().functions), None),
        "lines": (lambda: len(walked().lines), None),
    }
    found = [
        _row(f"one call of decoupled, two people: {what}", count, bound) for what, (count, bound) in counts.items()
    ]
    rooms = Counter(file.parent.relative_to(ROOT).as_posix() for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return [*found, *(_row(f"files in {room}", lambda number=number: number) for room, number in sorted(rooms.items()))]


def walk(workshop: Workshop) -> Walk:
    """What the second call of a run goes through."""
    rig = workshop.rig(Shape(SDXL.narrow(), torch.float32, 256))
    seen = Walk()

    def second_call(call: Any) -> None:
        call()
        sys.settrace(seen.note)
        try:
            call()
        finally:
            sys.settrace(None)

    within_runs(rig.shape.structure, [rig.patched(RECIPES["decoupled"], 2)], rig.shape.size, second_call)
    return seen


def _row(name: str, count: Any, bound: float | None = None) -> Row:
    def figure() -> Figure:
        number = float(count())
        return Figure(number, number, number, 1)

    return Row(name, "", figure, bound, least_samples=1)
