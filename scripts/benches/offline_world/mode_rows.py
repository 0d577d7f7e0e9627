"""Rows of the modes beside each other, one to six people: without a cast, everywhere, masked, decoupled, gated."""

from __future__ import annotations

import math

from ...figures.intervals import bootstrap_figure
from ...figures.verdict import Figure, Row
from .company import best_strength, measured
from .drawing import DECOUPLED, EVERYWHERE, GATED, MASKED, Mode
from .workbench import Workbench

MODES = (None, EVERYWHERE, MASKED, DECOUPLED, GATED)
PEOPLE = range(1, 7)
FIELDS = {"right_place": "right place", "own": "similarity to oneself", "other": "similarity to the others"}
LEAST = 20  # pictures before a mean decides anything


def mode_rows(bench: Workbench) -> list[Row]:
    """Every mode at its own best strength: right place, similarity to oneself and to the others."""
    tuned = [strength_row(bench, mode, people) for people in (1, 2) for mode in modes_of(people) if mode]
    fields = [(people, field) for people in PEOPLE for field in FIELDS if people > 1 or field != "other"]
    return [*tuned, *(mean_row(bench, mode, people, field) for people, field in fields for mode in modes_of(people))]


def modes_of(people: int) -> list[Mode | None]:
    """The modes that differ: one person is everywhere in any case."""
    return [mode for mode in MODES if people > 1 or mode is not EVERYWHERE]


def strength_row(bench: Workbench, mode: Mode, people: int) -> Row:
    """The strength that a mode was best with when tuned; every other row of the mode runs at it."""

    def measure() -> Figure:
        strength = best_strength(bench, mode, people)
        return Figure(strength, strength, strength, bench.amounts.tuning)

    return Row(name_of(mode, people, "best strength"), "", measure)


def mean_row(bench: Workbench, mode: Mode | None, people: int, field: str) -> Row:
    """The mean of one field over the pictures of a mode."""

    def measure() -> Figure:
        values = measured(bench, mode, people)[field]
        return bootstrap_figure(values) if values else Figure(math.nan, math.nan, math.nan, 0)

    return Row(name_of(mode, people, FIELDS[field]), "", measure, None, False, LEAST)


def name_of(mode: Mode | None, people: int, field: str) -> str:
    """What a row is called; scripts/showing/mode_tables.py makes tables of such rows."""
    return f"modes: {mode.name if mode else 'unpatched'}, {people}, {field}"
