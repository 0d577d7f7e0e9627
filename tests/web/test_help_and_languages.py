"""What the editor makes of this pack's nodes: help pages, words in the user's language, the demo's graph."""

import json

import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.showing.locales import inputs_of, read
from pack.tests.web.canvas_page import READY

HELP = ".node-help-content"
TITLE = "([kind]) => LiteGraph.registered_node_types[kind].title"
LABELS = """([kind]) => {
  const node = LiteGraph.createNode(kind);
  app.graph.add(node);
  const shown = (slot) => slot.label ?? slot.localized_name ?? slot.name;
  const texts = [...node.inputs.map(shown), ...(node.widgets ?? []).map((widget) => widget.label ?? widget.name),
                 ...node.outputs.map(shown)];
  app.graph.remove(node);
  return texts;
}"""


TITLE_BAR = """() => {
  const [node] = app.graph.nodes;
  const rect = app.canvas.canvas.getBoundingClientRect();
  return [rect.left + node.pos[0] + node.size[0] / 2, rect.top + node.pos[1] - 12];
}"""
ALL_TEXT = "LiteGraph.Canvas.MinFontSizeForLOD"  # 0 draws words at every zoom


def whole_graph(page, name):
    """Open the demo's workflow, keep a screenshot of all of it, and return the workflow."""
    workflow = json.loads((ROOT / "workflows" / "10 Two people, wired by hand.json").read_text(encoding="utf-8"))
    page.set(ALL_TEXT, 0)
    page.load(workflow)
    page.look_at(0.4, [165, 200])
    page.tab.wait_for_timeout(500)
    page.picture(name)
    return workflow


def test_the_i_of_a_node_opens_its_help(classic, server):
    classic.tab.mouse.click(*classic.run(TITLE_BAR))
    classic.tab.locator('[data-testid="info-button"]').first.click()
    page = classic.tab.locator(HELP).first
    page.locator("h1").wait_for(timeout=30_000)

    assert page.locator("h1").inner_text() == "Draw Regions"
    info = server.object_info()["Troupe_DrawRegions"]
    shown = page.locator("table").first.locator("tbody tr td:first-child").all_inner_texts()
    assert shown == [name for name, _, _ in inputs_of(info)]
    classic.picture("help")


@pytest.fixture(params=["zh", "zh-TW"])
def chinese(classic, request):
    """The editor in Chinese, and its language; afterwards in English again."""
    for language in (request.param, "en"):
        classic.set("Comfy.Locale", language)
        classic.tab.wait_for_timeout(300)
        classic.tab.reload()
        classic.tab.wait_for_function(READY, timeout=90_000)
        classic.tab.wait_for_timeout(1000)
        if language != "en":
            yield classic, language


def test_nodes_speak_the_editors_language(chinese):
    editor, language = chinese
    texts = read(language)

    for kind in ("Troupe_ApplyCast", "Troupe_CastMember", "Troupe_ApplyCastAdvanced"):
        assert editor.run(TITLE, kind) == texts[kind]["display_name"]
        labels = editor.run(LABELS, kind)
        nested = {name for name in texts[kind]["inputs"] if name.startswith("mode_")}  # shown once a mode is chosen
        wanted = [entry["name"] for name, entry in texts[kind]["inputs"].items() if name not in nested]
        assert set(wanted) <= set(labels)
    whole_graph(editor, f"graph-{language}")


def test_the_demos_workflow_opens_whole(classic):
    workflow = whole_graph(classic, "graph")

    kinds = classic.run("() => app.graph.nodes.map((node) => node.type)")
    assert sorted(kinds) == sorted(node["type"] for node in workflow["nodes"])
    assert classic.run("() => app.graph.nodes.filter((node) => node.has_errors).length") == 0
