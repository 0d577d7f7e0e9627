"""The rows of the bench `recipes` that compare recipes, as one small table per figure, and the other rows in a list."""

from __future__ import annotations

from collections.abc import Sequence

from ..figures.page import section
from .mode_tables import cell, figure_tables

RECIPES, ABLATIONS, SEARCH, PAPERS = "recipes: ", "ablations: ", "search: ", "papers: "


def page_section(result: dict, command: str) -> str:
    """A bench's part of a page: rows that are compared in tables, all others one below the other.

    result : what `bench.py NAME --json` writes
    """
    listed = [row for row in result["rows"] if not row["name"].startswith((RECIPES, ABLATIONS, SEARCH, PAPERS))]
    return f"{section({**result, 'rows': listed}, command)}\n\n{recipe_tables(result['rows'])}".rstrip()


def recipe_tables(rows: Sequence[dict]) -> str:
    """A table per figure, recipes down and numbers of people across; then one of what each recipe's parts do."""
    compared, lines = figure_tables(rows, RECIPES, "recipe"), figure_tables(rows, SEARCH, "candidate")
    lines += figure_tables(rows, PAPERS, "system")
    if compared:
        lines += ["### Recipes", "", "Each at its own best strength, tuned on other seeds for one person and two.", ""]
        lines += compared
    ablated = ablation_table(rows)
    if ablated:
        lines += ["### Recipes without one of their parts", "", "Two people, at the strength of the whole recipe.", ""]
        lines += ablated
    return "\n".join(lines).rstrip()


def ablation_table(rows: Sequence[dict]) -> list[str]:
    """Lines of one table: ablations down, figures across."""
    found = {}
    for row in rows:
        if row["name"].startswith(ABLATIONS):
            what, _, figure = row["name"].removeprefix(ABLATIONS).split(", ")
            found[what, figure] = row
    if not found:
        return []
    ablations, figures = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    body = [[what, *(cell(found.get((what, figure))) for figure in figures)] for what in ablations]
    return [f"| {' | '.join(line)} |" for line in (["recipe", *figures], ["---"] * (1 + len(figures)), *body)]
