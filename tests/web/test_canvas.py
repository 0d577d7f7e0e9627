"""Drawing with the mouse in a real browser, in both of ComfyUI's renderers: what is drawn is the node's value."""

import json

import pytest

NEAR = 0.006  # a pixel or two on the screen


def box(region):
    return [region[key] for key in ("x", "y", "width", "height")]


@pytest.mark.parametrize("tool", ["box", "ellipse"])
def test_a_drag_draws_a_region_where_the_mouse_was(canvas, tool):
    canvas.press("snapping")
    canvas.press(tool)
    canvas.drag((0.43, 0.22), (0.57, 0.71))

    region = canvas.regions()[-1]
    assert region["shape"] == tool
    assert box(region) == pytest.approx([0.43, 0.22, 0.14, 0.49], abs=NEAR)
    assert region["name"] == "person"
    assert canvas.prompt_text() == canvas.text()


def test_moving_resizing_and_turning(canvas):
    canvas.press("snapping")
    canvas.drag((0.2, 0.5), (0.25, 0.45))
    assert box(canvas.region("left")) == pytest.approx([0.15, 0.05, 0.3, 0.8], abs=NEAR)

    canvas.drag((0.45, 0.85), (0.5, 0.65))
    assert box(canvas.region("left")) == pytest.approx([0.15, 0.05, 0.35, 0.6], abs=NEAR)

    left, top = canvas.at(0.325, 0.05)
    canvas.tab.mouse.move(left, top - 22)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(*canvas.at(0.9, 0.3), steps=3)
    canvas.tab.mouse.move(*canvas.at(0.9, 0.35))
    canvas.tab.mouse.up()
    assert canvas.region("left")["rotation"] == pytest.approx(90, abs=1)
    canvas.picture(f"turned-{canvas.renderer}")


def test_undo_and_redo_are_the_editors_and_editing_goes_on_after(canvas):
    before = canvas.text()
    canvas.drag((0.2, 0.5), (0.25, 0.55))
    moved = canvas.text()
    assert moved != before

    canvas.undo()
    assert json.loads(canvas.text()) == json.loads(before)
    canvas.undo(again=True)
    assert canvas.text() == moved
    canvas.undo()

    canvas.drag((0.7, 0.5), (0.65, 0.5))  # on the element that is on the screen now
    assert canvas.region("right")["x"] == pytest.approx(0.55, abs=NEAR)
    assert canvas.prompt_text() == canvas.text()


def test_a_name_is_typed_into_the_list(canvas):
    field = canvas.part(".troupe-list input[type=text]").first
    field.fill("Ada <b>")
    field.press("Enter")

    assert canvas.names() == ["Ada b", "right"]
    canvas.part(".troupe-list input[type=text]").nth(1).fill("Ada b")
    canvas.part(".troupe-list input[type=text]").nth(1).press("Tab")
    assert canvas.names() == ["Ada b", "Ada b 2"]
    assert canvas.region("Ada b")["x"] == 0.1


def test_the_list_and_the_depth_are_put_in_order(canvas):
    canvas.part('.troupe-list li:nth-child(2) [data-command="up"]').click()
    assert canvas.names() == ["right", "left"]

    canvas.press("forward")
    orders = {region["name"]: region["order"] for region in canvas.regions()}
    canvas.press("backward")
    swapped = {region["name"]: region["order"] for region in canvas.regions()}
    assert (orders["right"] < orders["left"]) != (swapped["right"] < swapped["left"])


def test_a_saved_workflow_opens_with_what_was_drawn(canvas):
    canvas.press("ellipse")
    canvas.drag((0.42, 0.2), (0.58, 0.6))
    drawn = canvas.text()
    saved = json.loads(json.dumps(canvas.run("() => app.graph.serialize()")))

    canvas.load(canvas.workflow())
    assert canvas.text() != drawn
    canvas.load(saved)

    assert canvas.text() == drawn
    canvas.click(0.5, 0.4)
    assert canvas.part("li.chosen input[type=text]").input_value() == "person"


def test_far_outside_something_stays_in_the_picture(canvas):
    canvas.tab.mouse.move(*canvas.at(0.2, 0.5))
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(-4000, 20000)
    canvas.tab.mouse.move(1279, 959)
    canvas.tab.mouse.up()
    region = canvas.region("left")
    assert region["x"] < 1
    assert region["y"] < 1

    canvas.drag((0.7, 0.5), (0.72, 0.5))  # nothing hangs on to the mouse
    assert canvas.region("right")["x"] == pytest.approx(0.62, abs=0.02)
    assert canvas.region("left") == region


def test_after_the_window_changed_the_mouse_still_hits(canvas):
    canvas.press("snapping")
    try:
        canvas.tab.set_viewport_size({"width": 1000, "height": 860})
        canvas.tab.wait_for_timeout(300)
        canvas.drag((0.2, 0.5), (0.3, 0.4))
        assert box(canvas.region("left")) == pytest.approx([0.2, 0, 0.3, 0.8], abs=NEAR)
    finally:
        canvas.tab.set_viewport_size({"width": 1280, "height": 960})


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_graphs_zoom_does_not_move_what_is_drawn(canvas, scale):
    canvas.press("snapping")
    canvas.look_at(scale, [-100, -300] if scale > 1 else [0, 0])
    canvas.drag((0.15, 0.3), (0.25, 0.4))

    assert box(canvas.region("left")) == pytest.approx([0.2, 0.2, 0.3, 0.8], abs=0.01)
    canvas.picture(f"zoom-{scale}-{canvas.renderer}")


def test_two_canvases_are_two(canvas):
    canvas.load(canvas.workflow(nodes=2))
    other = canvas.text(0)
    canvas.drag((0.2, 0.5), (0.25, 0.5), index=1)

    assert canvas.text(0) == other
    assert canvas.region("left", 1)["x"] == pytest.approx(0.15, abs=NEAR)


def test_a_copied_node_has_its_own_copy(canvas):
    canvas.drag((0.2, 0.5), (0.25, 0.5))
    canvas.run("""() => {
      app.canvas.selectItems([app.graph.nodes[0]]);
      app.canvas.copyToClipboard();
      app.canvas.pasteFromClipboard({ position: [620, 130] });
    }""")
    canvas.wait_for_canvases(2)
    assert canvas.text(0) == canvas.text(1)

    canvas.run("() => { app.graph.nodes[1].pos = [620, 130]; app.canvas.setDirty(true, true); }")
    canvas.tab.wait_for_timeout(200)
    canvas.click(0.75, 0.5, index=1)
    canvas.press("remove", 1)
    assert canvas.names(1) == ["left"]
    assert canvas.names(0) == ["left", "right"]


def test_it_is_queued_from_the_page_and_its_masks_are_seen(canvas):
    workflow = canvas.workflow()
    workflow["nodes"].append(
        {
            "id": 9,
            "type": "MaskPreview",
            "pos": [640, 130],
            "size": [300, 300],
            "inputs": [{"name": "mask", "type": "MASK", "link": 1}],
            "outputs": [],
            "widgets_values": [],
        }
    )
    workflow["nodes"][0]["outputs"][1]["links"] = [1]
    workflow["links"] = [[1, 1, 1, 9, 0, "MASK"]]
    canvas.load(workflow)
    canvas.press("snapping")
    canvas.drag((0.2, 0.5), (0.25 + 0.01 * (canvas.renderer == "nodes2"), 0.5))
    canvas.run("""() => {
      window.troupeSeen = new Promise((seen) => {
        app.api.addEventListener('executed', (event) => event.detail.output.images && seen(event.detail));
      });
    }""")
    assert canvas.run("() => app.queuePrompt(0, 1)")
    seen = canvas.run("() => window.troupeSeen")

    assert len(seen["output"]["images"]) == 2
    wanted = "() => [...document.images].some((image) => image.src.includes('ComfyUI_temp') && image.naturalWidth)"
    drawn = "() => app.graph.getNodeById(9).imgs?.length > 0"
    canvas.tab.wait_for_function(wanted if canvas.renderer == "nodes2" else drawn, timeout=30_000)
    canvas.tab.wait_for_timeout(300)
    canvas.picture(f"queued-{canvas.renderer}")
