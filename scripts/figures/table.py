"""Show rows: as a table for a terminal and as JSON for a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .verdict import Figure, Row, verdict

HEAD = ("", "value", "95 % interval", "bound", "verdict")


@dataclass(frozen=True)
class Result:
    """A row that was measured."""

    row: Row
    figure: Figure

    @property
    def verdict(self) -> str:
        """What the figure says about the row's bound."""
        return verdict(self.figure, self.row.bound, self.row.at_most, self.row.least_samples)


def number(value: float) -> str:
    """Three significant digits, without an exponent where that is readable."""
    return f"{value:.3g}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"


def cells(result: Result) -> tuple[str, ...]:
    """One line of the table."""
    row, figure = result.row, result.figure
    bound = "" if row.bound is None else f"{'at most' if row.at_most else 'at least'} {number(row.bound)}"
    interval = f"{number(figure.low)} to {number(figure.high)} (n = {figure.samples})"
    return row.name, f"{number(figure.value)} {row.unit}".strip(), interval, bound, result.verdict


def as_table(results: Sequence[Result]) -> str:
    """All results, in aligned columns."""
    lines = [HEAD, *map(cells, results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def finite(figure: dict) -> dict:
    """The same with None for what JSON has no number for."""
    return {name: value if math.isfinite(value) else None for name, value in figure.items()}


def as_json(bench: str, quick: bool, results: Sequence[Result]) -> dict:
    """All results as plain data."""
    rows = [
        {"name": r.row.name, "unit": r.row.unit, **finite(asdict(r.figure)), "bound": r.row.bound}
        | {"at_most": r.row.at_most, "verdict": r.verdict}
        for r in results
    ]
    return {"bench": bench, "quick": quick, "rows": rows}
