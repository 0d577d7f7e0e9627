"""The rows of the bench `world` that compare modes, as one small table per figure."""

from __future__ import annotations

from collections.abc import Sequence

from ..figures.table import number

PREFIX = "modes: "


def is_mode_row(row: dict) -> bool:
    """Whether a row of the bench belongs in these tables."""
    return row["name"].startswith(PREFIX)


def mode_tables(rows: Sequence[dict]) -> str:
    """A table per figure: modes down, numbers of people across, each cell with its 95 % interval."""
    tables = figure_tables(rows, PREFIX, "mode")
    if not tables:
        return ""
    lines = ["## Modes", "", "Each mode at its own best strength, tuned on other seeds for one person and for two.", ""]
    lines += [
        "Three people and more run at the strength for two; a depth ControlNet says where two and more stand.",
        "",
    ]
    return "\n".join([*lines, *tables]).rstrip()


def figure_tables(rows: Sequence[dict], prefix: str, first: str) -> list[str]:
    """Lines of a table per figure, of the rows called "PREFIX: WHAT, PEOPLE, FIGURE".

    first : says what WHAT is, above the first column
    """
    found = [row for row in rows if row["name"].startswith(prefix)]
    named = {tuple(row["name"].removeprefix(prefix).split(", ")): row for row in found}
    lines = []
    for figure in dict.fromkeys(figure for _, _, figure in named):
        lines += [f"{figure[0].upper()}{figure[1:]}:", "", *_table(named, figure, first), ""]
    return lines


def _table(named: dict[tuple[str, ...], dict], figure: str, first: str) -> list[str]:
    modes = dict.fromkeys(mode for mode, _, of in named if of == figure)
    people = sorted({count for _, count, of in named if of == figure}, key=int)
    head = [first, *(f"{count} {'person' if count == '1' else 'people'}" for count in people)]
    body = [[mode, *(cell(named.get((mode, count, figure))) for count in people)] for mode in modes]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)]


def cell(row: dict | None) -> str:
    """A row's value with its interval; nothing where it was not measured."""
    if row is None or row["value"] is None:
        return ""
    if row["low"] == row["high"]:
        return number(row["value"])
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
