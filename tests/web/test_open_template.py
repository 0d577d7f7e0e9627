"""The page's address opens a template of the pack, as `demo.py --serve` prints it."""

import json

import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.tests.web.canvas_page import READY

OPEN = "troupe_template"
FIRST = ROOT / "workflows" / "01 Two people, runs at once.json"

KINDS = "() => app.graph.nodes.map((node) => node.type).sort()"


@pytest.fixture
def tab(page):
    """Another tab of the same browser."""
    made = page.tab.context.new_page()
    yield made
    made.close()


def test_the_first_template_comes_up_with_the_demos_people_on_the_board(page, tab):
    page.choose_renderer("classic")
    tab.goto(f"{page.server.address}/?{OPEN}={FIRST.stem}")
    tab.wait_for_function(READY, timeout=90_000)
    kinds = sorted(node["type"] for node in json.loads(FIRST.read_text(encoding="utf-8"))["nodes"])
    same = f"(kinds) => JSON.stringify(({KINDS})()) === JSON.stringify(kinds)"
    tab.wait_for_function(same, arg=kinds, timeout=60_000)

    assert OPEN not in tab.url
    tab.wait_for_timeout(1500)
    tab.screenshot(path=str(page.screenshots / "first-template.png"))
    assert tab.evaluate("() => [...document.querySelectorAll('.troupe-board')].length") == 1
    for name in ("Ada", "Dev"):
        assert (page.server.base / "input" / "troupe-demo" / f"{name}.png").is_file()


def test_a_template_that_is_not_there_leaves_the_editor_as_it_is(page, tab):
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(f"{page.server.address}/?{OPEN}=../../secret")
    tab.wait_for_function(READY, timeout=90_000)
    tab.wait_for_function("() => !location.search", timeout=60_000)
    tab.wait_for_timeout(500)

    assert any("there is no template '../../secret'" in text for text in said)


def test_the_demo_prints_what_the_page_reads():
    demo = (ROOT / "scripts" / "demo.py").read_text(encoding="utf-8")

    assert f'OPEN = "{OPEN}"' in demo
    assert FIRST.name in demo
    assert f'QUERY = "{OPEN}"' in (ROOT / "web" / "open_template.js").read_text(encoding="utf-8")
