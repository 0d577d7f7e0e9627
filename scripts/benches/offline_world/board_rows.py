"""Rows of the bench `board`: the board's own two places at Apply Cast's defaults beside the template wired by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ....attention.recipes.cast import Member
from ....attention.regions.region import Region
from ...bootstrap.places import ROOT
from ...figures.intervals import bootstrap_figure
from ...figures.samples import Values
from ...figures.verdict import Row
from .company import BATCH, FIELDS, keep, score
from .drawing import turns
from .people import Target, targets
from .ratios import paired_share_figure
from .workbench import Workbench

SEED = 9_100_001
WIRED = ROOT / "workflows" / "10 Two people, wired by hand.json"
BOARD, BY_HAND = "the board at its defaults", "wired by hand"
RIGHT_PLACE, SHARE = 0.95, 0.95


@dataclass(frozen=True)
class Way:
    """How a pair is brought into the picture: by the host's own code, from what node and template are saved with."""

    regions: tuple[Region, ...]
    recipe: str
    strength: float


class BoardBench:
    """The workbench, and how many pairs are drawn."""

    def __init__(self, bench: Workbench, pairs: int) -> None:
        self.bench = bench
        self.pairs = pairs

    def measured(self, name: str) -> Values:
        """What one of the two ways drew: values by picture."""
        return self.bench.samples.get(f"{name}: {self.pairs} pairs", lambda: self._drawn(name))

    def _drawn(self, name: str) -> Values:
        bench, host = self.bench, self.bench.host
        template = json.loads(WIRED.read_text(encoding="utf-8"))["nodes"]
        way = self._way(name, template)
        (prompt,) = [n["widgets_values"][0] for n in template if n.get("title") == "What the picture shows"]
        values: Values = {field: [] for field in FIELDS}
        pairs = targets(2, self.pairs, SEED, bench.engine, bench.size)
        for first in range(0, self.pairs, BATCH):
            bench.status(f"{name}: {first} of {self.pairs} pictures")
            batch = pairs[first : first + BATCH]
            model = self._model(way, batch)
            drawn = host.pictures(model, [prompt] * len(batch), bench.size, SEED + first)
            for target, picture in zip(batch, drawn, strict=True):
                keep(values, score(bench.scorer, picture, target))
        return values

    def _way(self, name: str, template: Sequence[dict]) -> Way:
        from ....nodes.board.board_nodes import TWO_PLACES
        from ....nodes.board.board_value import decode_board
        from ....nodes.cast.cast_nodes import ApplyCast
        from ....nodes.regions.region_value import decode_regions

        if name == BOARD:
            defaults = {widget.id: widget for widget in ApplyCast.define_schema().inputs}
            regions = tuple(person.region for person in decode_board(TWO_PLACES))
            return Way(regions, defaults["recipe"].options[0], defaults["strength"].default)
        saved = {node["type"]: node["widgets_values"] for node in template}
        return Way(tuple(decode_regions(saved["Troupe_DrawRegions"][2])), *saved["Troupe_ApplyCast"][:2])

    def _model(self, way: Way, batch: Sequence[Target]) -> Any:
        """Apply Cast for a batch, in whose pictures the pairs take turns; the adapter is found by itself."""
        from ....attention.recipes.recipe_book import recipe_named
        from ....nodes.host.cast.model_patch import patch_cast

        people = [turns(who) for who in zip(*(target.cast for target in batch), strict=True)]
        cast = tuple(Member(who, region) for who, region in zip(people, way.regions, strict=True))
        recipe = replace(recipe_named(way.recipe), photos="one per picture")
        return patch_cast(self.bench.host.model, cast, None, recipe, way.strength)


def board_rows(board: BoardBench) -> list[Row]:
    """Right place and likeness of the board, of the template, and of the one as a share of the other."""

    def mean(name: str, field: str):
        return lambda: bootstrap_figure(board.measured(name)[field])

    return [
        Row(f"{BOARD}: right place", "", mean(BOARD, "right_place"), RIGHT_PLACE, at_most=False),
        Row(
            f"{BOARD}: own similarity as a share of that {BY_HAND}", "",
            lambda: paired_share_figure(board.measured(BOARD)["own"], board.measured(BY_HAND)["own"]),
            SHARE, at_most=False,
        ),
        *(Row(f"{name}: similarity to oneself", "", mean(name, "own")) for name in (BOARD, BY_HAND)),
        *(Row(f"{name}: members with a face", "", mean(name, "found")) for name in (BOARD, BY_HAND)),
        Row(f"{BY_HAND}: right place", "", mean(BY_HAND, "right_place")),
    ]  # fmt: skip
