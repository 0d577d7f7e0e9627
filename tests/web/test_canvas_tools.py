"""What else can be done on the canvas: painting, keys, snapping, locks, arrangements, touch and the wheel."""

import base64
import io

import pytest
from PIL import Image

NEAR = 0.006
MOST_BYTES = 8192


def painted(region):
    """The mask of a region as a picture."""
    data = base64.b64decode(region["mask"])
    assert len(data) <= MOST_BYTES
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "1"
    return picture


def test_a_mask_is_painted_and_erased_and_is_a_small_png_in_the_value(canvas):
    canvas.click(0.5, 0.5)  # nothing selected
    canvas.press("paint")
    canvas.drag((0.2, 0.3), (0.8, 0.3))
    region = canvas.regions()[-1]
    assert region["shape"] == "mask"
    assert (region["x"], region["width"]) == pytest.approx((0.14, 0.72), abs=0.02)
    before = painted(region).convert("L").histogram()[255]
    canvas.picture(f"painted-{canvas.renderer}")

    canvas.press("erase")
    canvas.drag((0.5, 0.2), (0.5, 0.4))
    after = painted(canvas.region("person"))
    assert after.convert("L").histogram()[255] < before
    assert after.getpixel((after.width // 2, after.height // 2)) == 0
    assert canvas.names() == ["left", "right", "person"]

    canvas.press("select")
    canvas.drag((0.25, 0.3), (0.25, 0.5))
    moved = canvas.region("person")
    assert moved["mask"] == canvas.region("person")["mask"]
    assert moved["y"] == pytest.approx(region["y"] + 0.2, abs=0.02)


def test_a_feather_is_a_soft_edge_in_the_value(classic):
    classic.click(0.2, 0.5)
    classic.part(".troupe-slider input").nth(1).fill("0.05")
    assert classic.region("left")["feather"] == 0.05
    classic.picture("feather")


def test_keys_move_turn_copy_and_remove(classic):
    classic.click(0.2, 0.5)
    classic.keys("ArrowRight", "ArrowRight", "Shift+ArrowUp")
    left = classic.region("left")
    assert (left["x"], left["y"]) == pytest.approx((0.1 + 2 / 512, 0.1 - 10 / 512), abs=1e-4)
    classic.keys("Alt+ArrowRight", "r")
    left = classic.region("left")
    assert left["width"] == pytest.approx(0.3 + 1 / 512, abs=1e-4)
    assert left["rotation"] == 5

    classic.keys("Control+d")
    assert classic.names() == ["left", "right", "left 2"]
    classic.keys("Delete")
    assert classic.names() == ["left", "right"]
    assert classic.run("() => app.graph.nodes.length") == 1  # the editor's Delete would have taken the node
    classic.keys("n", "n", "l", "Delete")
    assert classic.region("right")["locked"]
    classic.undo()
    assert not classic.region("right").get("locked")
    assert classic.run("() => document.activeElement.className") == "troupe-stage"  # keys go on working


def test_escape_gives_a_drag_up(classic):
    before = classic.text()
    classic.drag((0.2, 0.5), (0.5, 0.5), lift=False)
    classic.keys("Escape")
    classic.tab.mouse.up()
    assert classic.text() == before


def test_edges_snap_to_the_picture(classic):
    classic.drag((0.2, 0.5), (0.108, 0.41))
    left = classic.region("left")
    assert (left["x"], left["y"]) == (0, 0)


def test_a_locked_region_stays(classic):
    classic.part('.troupe-list li:first-child [aria-label="Lock left"]').click()
    classic.drag((0.2, 0.5), (0.3, 0.7))
    assert classic.region("left")["x"] == 0.1
    assert classic.names() == ["left", "right", "person"]  # drawn through it


@pytest.mark.parametrize(("preset", "count"), [("two", 2), ("three", 3), ("five", 5), ("depth", 2)])
def test_an_arrangement_places_everybody(classic, preset, count):
    classic.part('[data-command="presets"]').select_option(preset)
    regions = classic.regions()
    assert len(regions) == count
    assert classic.names()[:2] == ["left", "right"]
    assert len({region["colour"] for region in regions}) == count
    assert {region["order"] for region in regions} == ({0, 1} if preset in ("five", "depth") else {0})
    if preset == "five":
        classic.settle()
        classic.picture("five")


def test_a_finger_draws_and_two_fingers_zoom(classic):
    touch = classic.tab.context.new_cdp_session(classic.tab)

    def fingers(kind, *points):
        places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    fingers("touchStart", classic.at(0.2, 0.5))
    fingers("touchMove", classic.at(0.22, 0.55))
    fingers("touchMove", classic.at(0.25, 0.55))
    fingers("touchEnd")
    classic.settle()
    assert classic.region("left")["x"] == pytest.approx(0.15, abs=0.02)

    before = classic.text()
    fingers("touchStart", classic.at(0.45, 0.5), classic.at(0.55, 0.5))
    for spread in (0.1, 0.2, 0.3):
        fingers("touchMove", classic.at(0.5 - spread, 0.5), classic.at(0.5 + spread, 0.5))
    fingers("touchEnd")
    classic.settle()
    assert classic.text() == before
    classic.picture("pinched")
    classic.press("box")
    classic.drag((0.35, 0.35), (0.65, 0.65))  # places on the whole picture: less of it when enlarged
    assert classic.regions()[-1]["width"] < 0.15


def test_the_wheel_belongs_to_the_graph_until_the_canvas_has_the_focus(classic):
    classic.run("() => document.activeElement.blur()")
    classic.tab.mouse.move(*classic.at(0.5, 0.5))
    classic.tab.mouse.wheel(0, -300)
    classic.tab.wait_for_timeout(200)
    classic.zoom_graph(1.0)
    classic.click(0.5, 0.5)
    classic.tab.mouse.wheel(0, -600)
    classic.settle()
    assert classic.run("() => app.canvas.ds.scale") == 1
    classic.press("box")
    classic.drag((0.35, 0.35), (0.65, 0.65))
    assert classic.regions()[-1]["width"] < 0.2
