"""Every row of the bench `layout` on a picture or two, in the real host."""

from pathlib import Path

import pytest
from pack.scripts.benches.offline_world.drawing import Host, Sampling
from pack.scripts.benches.offline_world.layout_rows import LAYOUT, RENDERED, STRENGTHS, LayoutBench, layout_rows
from pack.scripts.benches.offline_world.placed import picture_of, placed_people
from pack.scripts.benches.offline_world.workbench import QUICK, Workbench
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.figures.samples import Samples
from pack.scripts.figures.table import Result, as_table
from pack.scripts.figures.verdict import HOLDS, UNDECIDED

WEIGHTS = Path(__file__).parents[2] / "demo" / "weights"


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    samples = Samples(tmp_path_factory.mktemp("bench") / "samples.jsonl", "key")
    bench = Workbench(WEIGHTS, Installation(Path(), Path(), Path(), private=True), QUICK, samples, lambda _text: None)
    bench.host = Host(WEIGHTS, Sampling(steps=2))
    return LayoutBench(bench, pictures=2, tuning=1)


def test_every_row_gives_a_figure_and_few_pictures_decide_nothing(layout):
    rows = layout_rows(layout)
    results = [Result(row, row.measure()) for row in rows]

    assert len({row.name for row in rows}) == len(rows)
    assert HOLDS not in {result.verdict for result in results}
    assert all(result.verdict == UNDECIDED for result in results if result.row.bound is not None), as_table(results)
    assert Samples(layout.bench.samples.file, "key").found == layout.bench.samples.found


def test_rendered_people_are_where_they_were_placed(layout):
    values = layout.pooled(RENDERED)

    assert min(values["in_region"]) == 1
    assert values["in_order"] == values["pairs"]
    assert min(values["iou"]) > 0.6


def test_depth_layout_and_regions_alone_draw_different_pictures(layout):
    (placed,) = placed_people(2, 1, 5, layout.bench.engine, layout.bench.size)
    pictures = [picture_of(layout.bench.host, placed, 0.9, 3, layout.bench.size, way) for way in (True, False)]

    assert (pictures[0] != pictures[1]).mean() > 0.5
    assert layout.best_strength(LAYOUT) in STRENGTHS
