"""Figures in Markdown pages: parts between two markers that a command makes anew, and rows as lines of a table."""

from __future__ import annotations

import math
from pathlib import Path

from ..bootstrap.errors import Refusal
from .table import number

HEAD = ["| what | value | 95 % interval | samples | bound | verdict |", "| --- | --- | --- | --- | --- | --- |"]


def markers(part: str, command: str) -> tuple[str, str]:
    """The lines around a part; everything between them is replaced when it is made again."""
    return f"<!-- {part}: made by {command} -->", f"<!-- end of {part} -->"


def with_part(text: str, part: str, content: str, command: str) -> str:
    """The page with a part made anew; where it has none yet, at the end. Refusal for a page with half the markers."""
    begin, end = markers(part, command)
    block = f"{begin}\n{content.strip()}\n{end}\n"
    if begin not in text and end not in text:
        return f"{text.rstrip()}\n\n{block}"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise Refusal(f"The page needs the line {begin!r} once and {end!r} once after it. Delete both, and run again.")
    before, after = text.split(begin)[0], text.split(end)[1]
    return before + block + (f"\n{after.lstrip()}" if after.strip() else "")


def rewrite(page: Path, part: str, content: str, command: str) -> None:
    """Make a part of the file `page` anew."""
    page.write_text(with_part(page.read_text(encoding="utf-8"), part, content, command), encoding="utf-8")


def table_line(row: dict) -> str:
    """One row of a bench, as `table.as_json` gives it, as a line under HEAD."""
    bound = "" if row["bound"] is None else f"{'at most' if row['at_most'] else 'at least'} {number(row['bound'])}"
    interval = f"{_shown(row['low'])} to {_shown(row['high'])}"
    value = f"{_shown(row['value'])} {row['unit']}".strip()
    return f"| {row['name']} | {value} | {interval} | {row['samples']} | {bound} | {row['verdict']} |"


def section(result: dict, command: str) -> str:
    """The rows of a bench, with what they were measured on and the command that made them.

    result : what `bench.py NAME --json` writes
    """
    machine = result["machine"]
    facts = (
        f"{machine['processor']}, {machine['cores']} cores, {result['seconds'] / 60:.0f} minutes. Command: `{command}`."
    )
    return "\n".join([f"## {result['bench']}", "", facts, "", *HEAD, *map(table_line, result["rows"])])


def _shown(value: float | None) -> str:
    return "none" if value is None or math.isnan(value) else number(value)
