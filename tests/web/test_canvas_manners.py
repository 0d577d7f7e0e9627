"""The canvas among the editor's own things: panels, subgraphs, drops, the keyboard, small screens, many people."""

import base64
import io
import json

import pytest
from PIL import Image

TITLE_BAR = """() => {
  const [node] = app.graph.nodes;
  const rect = app.canvas.canvas.getBoundingClientRect();
  return [rect.left + node.pos[0] + 60, rect.top + node.pos[1] - 12];
}"""
ROW = {"y": 0.1, "width": 0.2, "height": 0.6}
IN_SUBGRAPH = """() => {
  const [node] = app.graph.nodes;
  const { subgraph, node: outer } = app.graph.convertToSubgraph(new Set([node]));
  app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState();
  app.canvas.openSubgraph(subgraph, outer);
}"""
INNER_TEXT = "() => app.canvas.graph.nodes[0].widgets.find((widget) => widget.name === 'regions').value"
DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: 'image/png' }));
  const stage = document.querySelector('canvas.troupe-stage');
  const { left, top, width, height } = stage.getBoundingClientRect();
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    stage.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer,
      clientX: left + width / 2, clientY: top + height / 2 }));
  }
}"""
SMALL = """() => [...document.querySelectorAll('.troupe-regions :is(button, input, select)')]
  .filter((one) => one.offsetParent && !['text', 'file'].includes(one.type))
  .filter((one) => one.offsetWidth < 24 || one.offsetHeight < 24).map((one) => one.outerHTML)"""
CUT = """() => [...document.querySelectorAll('.troupe-regions select')].filter((menu) => {
  const style = getComputedStyle(menu);
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = style.font;
  const widest = Math.max(...[...menu.options].map((option) => pen.measureText(option.text).width));
  return menu.clientWidth < widest + 16;
}).map((menu) => [menu.title, menu.clientWidth])"""


def people(count):
    return [{"name": f"person {number + 1}", "x": 0.02 + 0.06 * number, **ROW} for number in range(count)]


def test_the_properties_panel_leaves_the_canvas_as_wide_as_its_node(canvas):
    before = canvas.stage().bounding_box()["width"]
    canvas.tab.mouse.click(*canvas.run(TITLE_BAR))
    canvas.tab.locator('[data-testid="info-button"]').first.click()
    canvas.tab.get_by_role("tab", name="Parameters").click()
    canvas.tab.locator('[data-testid="properties-panel"] canvas.troupe-stage').wait_for(timeout=5_000)
    shown = canvas.tab.locator('[data-testid="properties-panel"]').inner_text()
    canvas.picture(f"panel-{canvas.renderer}")
    canvas.tab.get_by_role("tab", name="Info").click()

    assert "width" in shown
    assert canvas.stage().bounding_box()["width"] == before
    canvas.run("() => { app.graph.nodes[0].widgets.find((widget) => widget.name === 'regions').width = 200; }")
    canvas.tab.wait_for_timeout(300)
    assert canvas.stage().bounding_box()["width"] == before
    canvas.set("Comfy.RightSidePanel.IsOpen", False)


def test_a_name_far_down_the_list_is_edited_where_it_is(canvas):
    canvas.load(canvas.workflow(people(12), size=(420, 480)))
    top = canvas.part(".troupe-toolbar").bounding_box()["y"]
    canvas.stage().focus()
    canvas.keys(*["n"] * 10, "F2")

    assert canvas.run("() => document.activeElement.value") == "person 10"
    assert canvas.part(".troupe-toolbar").bounding_box()["y"] == top
    row, rows = (canvas.part(selector).bounding_box() for selector in ("li.chosen", ".troupe-list"))
    assert rows["y"] <= row["y"]
    assert row["y"] + row["height"] <= rows["y"] + rows["height"] + 1
    around = canvas.tab.locator(".troupe-regions").bounding_box()
    assert rows["y"] + rows["height"] <= around["y"] + around["height"]
    canvas.picture(f"twelve-{canvas.renderer}")
    canvas.tab.keyboard.type("Zoe")
    canvas.keys("Enter")
    assert canvas.run("() => document.activeElement.className") == "troupe-stage"
    canvas.keys("Delete")
    assert len(canvas.names()) == 11
    assert "Zoe" not in canvas.names()


def test_nothing_that_is_selected_or_chosen_moves_the_picture(canvas):
    places = [canvas.stage().bounding_box()]
    for tool in ("paint", "erase", "box", "select"):
        canvas.press(tool)
        canvas.settle()
        places.append(canvas.stage().bounding_box())
    canvas.click(0.2, 0.5)
    places.append(canvas.stage().bounding_box())
    canvas.press("paint")
    canvas.settle()
    places.append(canvas.stage().bounding_box())

    assert all(place == places[0] for place in places)


@pytest.mark.parametrize("act", ["drag", "key", "slider"])
def test_inside_a_subgraph_one_press_takes_one_change_back(canvas, act):
    canvas.run(IN_SUBGRAPH)
    canvas.wait_for_canvases(1)
    before = json.loads(canvas.run(INNER_TEXT))
    canvas.drag((0.2, 0.5), (0.25, 0.55))
    moved = canvas.run(INNER_TEXT)
    canvas.tab.wait_for_timeout(300)
    if act == "drag":
        canvas.drag((0.7, 0.5), (0.65, 0.5))
    elif act == "key":
        canvas.keys("ArrowRight")
    else:
        canvas.part(".troupe-slider input").nth(1).focus()
        canvas.keys("ArrowRight")
    assert canvas.run(INNER_TEXT) != moved
    canvas.tab.wait_for_timeout(300)

    for wanted in (json.loads(moved), before):
        text = canvas.run(INNER_TEXT)
        canvas.tab.keyboard.press("Control+z")
        for _ in range(40):
            canvas.tab.wait_for_timeout(50)
            if canvas.run(INNER_TEXT) != text:
                break
        assert json.loads(canvas.run(INNER_TEXT)) == wanted
        canvas.wait_for_canvases(1)


def test_a_dropped_photo_is_loaded_connected_and_drawn_on(canvas):
    buffer = io.BytesIO()
    Image.new("RGB", (96, 48), (30, 180, 60)).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    canvas.run(DROP, data, "holiday.png")
    green = """() => {
      const stage = document.querySelector('canvas.troupe-stage');
      const {data} = stage.getContext('2d').getImageData(stage.width / 2, stage.height / 2, 1, 1);
      return data[1] > 150 && data[0] < 90;
    }"""
    canvas.tab.wait_for_function(green, timeout=30_000)
    nodes = "() => app.graph.nodes.map((node) => [node.type, node.widgets.find((w) => w.name === 'image')?.value])"
    kinds = dict(canvas.run(nodes))
    assert set(kinds) == {"Troupe_DrawRegions", "LoadImage"}
    assert kinds["LoadImage"].startswith("troupe/")
    assert (canvas.server.base / "input" / kinds["LoadImage"]).read_bytes() == buffer.getvalue()
    assert canvas.run("async () => (await app.graphToPrompt()).output")["1"]["inputs"]["image"]

    Image.new("RGB", (96, 96), (180, 30, 60)).save(buffer := io.BytesIO(), "PNG")
    canvas.run(DROP, base64.b64encode(buffer.getvalue()).decode(), "second.png")
    canvas.tab.wait_for_function(green.replace("data[1] > 150 && data[0] < 90", "data[0] > 150"), timeout=30_000)
    assert canvas.run("() => app.graph.nodes.length") == 2
    canvas.picture(f"dropped-{canvas.renderer}")


@pytest.mark.parametrize("language", ["en", "de", "fr", "ja", "zh"])
def test_buttons_can_be_hit_and_no_menu_is_cut(page, language):
    page.choose_renderer("nodes2")  # where it is narrower
    page.set("Troupe.Language", language)
    try:
        page.load(page.workflow(size=(420, 480)))
        page.click(0.2, 0.5)
        assert page.run(SMALL) == []
        assert page.run(CUT) == []
        for tool in ("select", "box", "paint", "erase"):
            page.press(tool)
            assert page.part(".troupe-hint").evaluate("one => one.scrollHeight <= one.clientHeight + 1"), tool
        page.picture(f"small-{language}-{page.renderer}")
    finally:
        page.set("Troupe.Language", "auto")
