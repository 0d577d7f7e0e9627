"""A picture of a workflow in ComfyUI's own editor, after it ran: its nodes with what they show, and no bars."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request

from PIL import Image

from ..bootstrap.browser import FLAGS
from ..bootstrap.errors import Refusal
from ..hosting.client import OPENER, error_of
from ..hosting.server import Server

READY = "() => window.app?.graph && window.LiteGraph?.registered_node_types['Troupe_DrawRegions']"
LOAD = """([workflow, scale, offset]) => app.loadGraphData(workflow).then(() => {
  Object.assign(app.canvas.ds, { scale, offset });
  app.canvas.setDirty(true, true);
})"""
RUN = "() => app.queuePrompt(0, 1)"
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Locale": "en",
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # words at every zoom
}
LEFT, TOP, RIGHT, BOTTOM = 80, 130, 420, 120  # pixels of the page that its bars and panels take at most
MARGIN = 20  # of the graph's units
COLOURS = 256


def bounds_of(workflow: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Left, top, width and height of all groups of a workflow, with a margin, in the graph's units."""
    boxes = [group["bounding"] for group in workflow["groups"]]
    left, top = min(box[0] for box in boxes) - MARGIN, min(box[1] for box in boxes) - MARGIN
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return left, top, right + MARGIN - left, bottom + MARGIN - top


def graph_picture(server: Server, browser: str, file: Path, width: int, nodes2: bool = False) -> Image.Image:
    """The graph of a workflow file, so many pixels wide, in a palette of 256 colours.

    server : a running ComfyUI that has run nothing yet; its settings are changed
    nodes2 : in the renderer Nodes 2.0 instead of the classic one
    Raises Refusal where the workflow fails.
    """
    from playwright.sync_api import sync_playwright

    for name, value in (SETTINGS | {"Comfy.VueNodes.Enabled": nodes2}).items():
        body, kind = json.dumps(value).encode(), {"Content-Type": "application/json"}
        OPENER.open(Request(f"{server.address}/settings/{name}", body, kind), timeout=30).close()
    workflow = json.loads(file.read_text(encoding="utf-8"))
    left, top, units, high = bounds_of(workflow)
    scale = width / units
    height = round(high * scale)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        viewport = {"width": LEFT + width + RIGHT, "height": TOP + height + BOTTOM}
        page = chromium.new_page(viewport=viewport)
        page.goto(server.address, timeout=300_000)
        page.wait_for_function(READY, timeout=300_000)
        page.wait_for_timeout(2000)
        page.evaluate(LOAD, [workflow, scale, [LEFT / scale - left, TOP / scale - top]])
        page.wait_for_timeout(2000)
        page.evaluate(RUN)
        _wait_for_run(server)
        page.wait_for_timeout(5000)  # the editor fetches the pictures
        taken = page.screenshot(clip={"x": LEFT, "y": TOP, "width": width, "height": height})
        chromium.close()
    return Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def _wait_for_run(server: Server, timeout: float = 600) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for entry in server.client.get_json("/history").values():
            error = error_of(entry)
            if error:
                raise Refusal(f"The workflow failed, so there is no picture of it: {error}")
            return
        time.sleep(0.5)
    raise Refusal(f"The workflow did not end within {timeout:.0f} s, so there is no picture of it.")
