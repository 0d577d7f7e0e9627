"""The canvas among other nodes: pictures behind the regions, the shape they set, and a workflow from before it."""

import json

import pytest
from pack.scripts.bootstrap.places import ROOT
from PIL import Image

NEAR = 0.006


def load_image_before(page, name):
    """A workflow in which a Load Image node is connected to Draw Regions."""
    workflow = page.workflow()
    workflow["nodes"][0]["inputs"][0]["link"] = 1
    source = {
        "id": 5,
        "type": "LoadImage",
        "pos": [640, 130],
        "size": [300, 320],
        "inputs": [],
        "outputs": [
            {"name": "IMAGE", "type": "IMAGE", "links": [1]},
            {"name": "MASK", "type": "MASK", "links": []},
        ],
        "widgets_values": [name, "image"],
    }
    workflow["nodes"].append(source)
    workflow["links"] = [[1, 5, 0, 1, 0, "IMAGE"]]
    return workflow


def test_the_connected_picture_is_behind_and_sets_the_shape(canvas):
    Image.new("RGB", (300, 150), (200, 120, 40)).save(canvas.server.base / "input" / "wide.png")
    canvas.load(load_image_before(canvas, "wide.png"))
    pixel = """() => {
      const stage = document.querySelector('canvas.troupe-stage');
      const {data} = stage.getContext('2d').getImageData(stage.width / 2, stage.height / 2, 1, 1);
      return data[0] > 180 && data[2] < 60;
    }"""
    canvas.tab.wait_for_function(pixel, timeout=30_000)
    canvas.press("snapping")
    canvas.drag((0.2, 0.5), (0.3, 0.5), aspect=2.0)
    assert canvas.region("left")["x"] == pytest.approx(0.2, abs=NEAR)
    canvas.picture(f"connected-picture-{canvas.renderer}")


def test_the_shape_follows_width_and_height(canvas):
    canvas.run("() => { const w = app.graph.nodes[0].widgets[1]; w.value = 256; w.callback(256); }")
    canvas.press("snapping")
    canvas.settle()
    canvas.drag((0.2, 0.5), (0.3, 0.4), aspect=2.0)
    left = canvas.region("left")
    assert (left["x"], left["y"]) == pytest.approx((0.2, 0.0), abs=NEAR)


def test_the_last_result_can_be_behind(classic):
    workflow = classic.workflow()
    Image.new("RGB", (64, 64), (20, 190, 60)).save(classic.server.base / "input" / "green.png")
    source = load_image_before(classic, "green.png")["nodes"][1]
    source["outputs"][0]["links"] = [1]
    preview = {
        "id": 9,
        "type": "PreviewImage",
        "pos": [960, 130],
        "size": [200, 200],
        "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
        "outputs": [],
    }
    workflow["nodes"] += [source, preview]
    workflow["links"] = [[1, 5, 0, 9, 0, "IMAGE"]]
    classic.load(workflow)
    classic.part('select[title="Background"]').select_option("result")
    assert classic.run("() => app.queuePrompt(0, 1)")
    green = """() => {
      const stage = document.querySelector('canvas.troupe-stage');
      const {data} = stage.getContext('2d').getImageData(stage.width / 2, stage.height / 2, 1, 1);
      return data[1] > 150 && data[0] < 90;
    }"""
    classic.tab.wait_for_function(green, timeout=30_000)
    assert classic.run("() => app.graph.serialize().nodes[0].properties.troupe_background") == "result"


def test_a_workflow_from_before_the_canvas_opens_as_it_was(canvas):
    workflow = json.loads((ROOT / "workflows" / "10 Two people, wired by hand.json").read_text(encoding="utf-8"))
    draw = next(node for node in workflow["nodes"] if node["type"] == "Troupe_DrawRegions")
    draw["inputs"] = [slot for slot in draw["inputs"] if slot["name"] != "regions"]
    draw["inputs"].append({"name": "regions", "type": "STRING", "link": None, "widget": {"name": "regions"}})
    draw["pos"], draw["size"] = [120, 130], [330, 260]
    canvas.load(workflow)

    assert canvas.tab.locator(".troupe-regions").count() == 1  # none where regions come in
    assert canvas.text() == draw["widgets_values"][2]
    assert canvas.names() == ["left", "right"]
    sockets = "() => app.graph.nodes.find((n) => n.type === 'Troupe_DrawRegions').inputs.map((input) => input.name)"
    assert canvas.run(sockets).count("regions") == 1  # the socket by which a subgraph has it on its face
    ours = canvas.run("async () => (await app.graphToPrompt()).output")
    theirs = canvas.server.to_api(workflow)
    assert {number: node["inputs"] for number, node in ours.items()} == {
        number: node["inputs"] for number, node in theirs.items()
    }
    assert canvas.stage().bounding_box()["height"] > 120
    canvas.picture(f"from-before-{canvas.renderer}")
