"""Pictures of workflows: what of a graph is shown, and how thumbnails are put together."""

import json

import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.showing.graph_picture import MARGIN, bounds_of
from pack.scripts.showing.thumbnails import GAP, SHOWN, WIDTH, nodes_shown, row_of, stacked
from PIL import Image


def workflow(name):
    return json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))


def test_a_graph_is_shown_with_all_of_its_groups():
    groups = [{"bounding": [10, 20, 100, 50]}, {"bounding": [200, -5, 30, 300]}]

    assert bounds_of({"groups": groups}) == (10 - MARGIN, -5 - MARGIN, 220 + 2 * MARGIN, 300 + 2 * MARGIN)


def test_the_first_workflows_nodes_lie_within_what_is_shown():
    shown = workflow("10 Two people, wired by hand")
    left, top, width, height = bounds_of(shown)

    for node in shown["nodes"]:
        assert left < node["pos"][0] < node["pos"][0] + node["size"][0] < left + width
        assert top < node["pos"][1] < node["pos"][1] + node["size"][1] < top + height


def test_readmes_picture_of_the_graph_is_small_and_large_enough_to_read():
    picture = ROOT / "docs" / "graph.png"

    with Image.open(picture) as opened:
        assert opened.width >= 2000
    assert picture.stat().st_size < 400_000
    assert "docs/graph.png" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHOWN)
def test_the_nodes_of_a_thumbnail_are_in_the_workflow_and_show_pictures(name):
    kinds = {str(node["id"]): node["type"] for node in workflow(name)["nodes"]}

    assert {kinds[number] for number in nodes_shown(workflow(name), SHOWN[name])} <= {"SaveImage", "PreviewImage"}


def test_rows_are_as_wide_as_the_thumbnail_and_lie_below_each_other():
    two, one = row_of([Image.new("RGB", (64, 64), "red")] * 2), row_of([Image.new("RGB", (100, 50), "blue")])

    assert (two.size, one.size) == ((WIDTH, 189), (WIDTH, WIDTH // 2))
    assert [two.getpixel((x, 9)) for x in (9, 191, WIDTH - 9)] == [(255, 0, 0), (255, 255, 255), (255, 0, 0)]
    sheet = stacked([two, one])
    assert sheet.size == (WIDTH, two.height + GAP + one.height)
    assert sheet.getpixel((9, sheet.height - 9)) == (0, 0, 255)
