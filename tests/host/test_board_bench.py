"""Every row of the bench `board` on a pair, in the real host, with what the node and the template are saved with."""

import json
import sys
from pathlib import Path

import pytest
from pack.scripts.benches.offline_world.board_rows import BOARD, BY_HAND, WIRED, BoardBench, board_rows
from pack.scripts.benches.offline_world.drawing import Host, Sampling
from pack.scripts.benches.offline_world.workbench import QUICK, Workbench
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.figures.samples import Samples
from pack.scripts.figures.table import Result
from pack.scripts.figures.verdict import UNDECIDED


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    import comfy

    python = Path(sys.executable)
    folder = Path(comfy.__path__[0]).parent
    installation = Installation(folder, python, tools=python, private=True)
    samples = Samples(tmp_path_factory.mktemp("board") / "samples.jsonl", "key")
    bench = Workbench(ROOT / "demo" / "weights", installation, QUICK, samples, lambda _: None)
    bench.__dict__["host"] = Host(bench.weights, Sampling(steps=2))
    return BoardBench(bench, 1)


def test_every_row_gives_a_figure_and_one_pair_decides_nothing(board):
    results = [Result(row, row.measure()) for row in board_rows(board)]

    assert {result.row.name.split(":")[0] for result in results} == {BOARD, BY_HAND}
    assert all(result.verdict == UNDECIDED for result in results if result.row.bound is not None)


def test_ways_are_those_of_the_node_and_of_the_template(board):
    template = json.loads(WIRED.read_text(encoding="utf-8"))["nodes"]
    ours, wired = (board._way(name, template) for name in (BOARD, BY_HAND))

    assert (ours.recipe, ours.strength) == ("Troupe", 1.0)
    assert [region.width for region in wired.regions] == [0.5, 0.5]
    assert [region.width for region in ours.regions] == pytest.approx([0.4, 0.4])
