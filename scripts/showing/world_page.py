"""The parts of demo/README.md that are made: the samples and the table of figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..bootstrap.errors import Refusal
from ..figures.page import HEAD, table_line
from .mode_tables import is_mode_row, mode_tables

COMMAND = "python scripts/make_sample_pictures.py"
# Rows of the bench `world`, and for how many people their strength is used.
STRENGTH_ROWS = {"one person: best strength": (1,), "two people in halves, decoupled: best strength": (2, 3)}


def read_figures(file: Path | None) -> dict:
    """The JSON of the bench; nothing without a file. Raises Refusal for a file of something else."""
    if file is None:
        return {"rows": []}
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(f"{file} cannot be read ({error}). Make it with: bench.py world --json {file}") from None
    if not isinstance(result, dict) or result.get("bench") != "world":
        raise Refusal(f"{file} holds no figures of the bench `world`. Make it with: bench.py world --json {file}")
    return result


def strengths_in(result: dict) -> dict[int, float]:
    """By number of people the strength to draw at: the best one of the bench, 1 where it was not measured."""
    found = {row["name"]: row["value"] for row in result["rows"]}
    return {people: found.get(name, 1.0) for name, counts in STRENGTH_ROWS.items() for people in counts}


def samples_text(sheets: Sequence[tuple[str, str]], folder: str) -> str:
    """The section with the sample pictures: (file name, what it shows) of each."""
    lines = [
        "## Samples",
        "",
        "The first pictures of fixed seeds, none chosen. Nobody in them was trained on. Similarities are those of the",
        "scoring recogniser, 1 at most; a person without a face has 0. Photos differ from the prompt in pose,",
        "expression, shirt, size and background; where two or three people stand is the depth map of other people.",
    ]
    for name, shows in sheets:
        lines += ["", f"{shows}:", "", f"![{shows}]({folder}/{name})"]
    return "\n".join([*lines, "", f"Made by `{COMMAND}`."])


def figures_text(result: dict, world: dict, trained_on: str, training: str) -> str:
    """The section with the figures.

    result     : what `bench.py world --json` wrote
    world      : world.json beside the weights
    trained_on : the data, in words
    training   : how long and on what the weights were trained, in words; left out where it is empty
    """
    machine = result.get("machine", {})
    steps = ", ".join(f"{name} {count:,}" for name, count in world["steps"].items())
    measured = f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"
    if result.get("seconds"):
        measured += f", {result['seconds'] / 60:.0f} minutes (less where rows were kept from an interrupted run)"
    facts = [
        f"* Form: {world['form']}, pictures of {world['size']} pixels. Data: {trained_on}.",
        f"* Steps: {steps}.",
        *([f"* Training: {training}."] if training else []),
        f"* Measured on: {measured}. Command: `python scripts/bench.py world{' --quick' * result['quick']}`.",
    ]
    lines = [table_line(row) for row in result["rows"] if not is_mode_row(row)]
    return "\n".join(["## Figures", "", *facts, "", *HEAD, *lines, "", mode_tables(result["rows"])]).rstrip()
