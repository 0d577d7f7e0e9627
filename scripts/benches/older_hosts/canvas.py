"""Draws a region with the mouse on the canvas in a ComfyUI's own editor, in one of its renderers."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request

from ...bootstrap.browser import FLAGS
from ...hosting.client import OPENER
from ...hosting.server import Server

READY = "() => window.app?.graph && window.LiteGraph?.registered_node_types['Troupe_DrawRegions']"
OPEN = """() => {
  app.graph.clear();
  const node = LiteGraph.createNode('Troupe_DrawRegions');
  node.pos = [160, 120];
  app.graph.add(node);
  Object.assign(app.canvas.ds, { scale: 1, offset: [0, 0] });
  app.canvas.setDirty(true, true);
}"""
STAGE = "canvas.troupe-stage"
COUNT = (
    """() => JSON.parse(app.graph.nodes[0].widgets.find((widget) => widget.name === 'regions').value).regions.length"""
)
DOWN_THE_MIDDLE = ((0.5, 0.2), (0.5, 0.75))  # of the stage; between the two boxes that a new node has


def regions_drawn(server: Server, browser: str, renderer: str, folder: Path) -> int:
    """How many regions a new node has after one more was drawn; -1 where the canvas does not come up.

    folder : where a screenshot is kept
    """
    from playwright.sync_api import Error, sync_playwright

    nodes2 = renderer != "classic"
    for name, value in {"Comfy.TutorialCompleted": True, "Comfy.VueNodes.Enabled": nodes2}.items():
        body, kind = json.dumps(value).encode(), {"Content-Type": "application/json"}
        OPENER.open(Request(f"{server.address}/settings/{name}", body, kind), timeout=30).close()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 960})
        try:
            page.goto(server.address, timeout=300_000)
            page.wait_for_function(READY, timeout=300_000)
            page.wait_for_timeout(2000)
            page.evaluate(OPEN)
            page.wait_for_selector(STAGE, timeout=60_000)
            page.wait_for_timeout(1500)
            _drag_a_box(page)
            page.wait_for_timeout(500)
            count = page.evaluate(COUNT)
        except Error:
            count = -1
        page.screenshot(path=str(folder / f"canvas-{renderer.replace(' ', '-')}.png"))
        chromium.close()
    return count


def _drag_a_box(page) -> None:
    page.click('.troupe-toolbar [data-command="box"]')
    box = page.locator(STAGE).bounding_box()
    (x, top), (_, bottom) = DOWN_THE_MIDDLE
    page.mouse.move(box["x"] + box["width"] * (x - 0.05), box["y"] + box["height"] * top)
    page.mouse.down()
    for step in (0.3, 0.6, 1.0):
        page.mouse.move(
            box["x"] + box["width"] * (x - 0.05 + 0.1 * step),
            box["y"] + box["height"] * (top + (bottom - top) * step),
        )
    page.mouse.up()
