"""How long region canvas and cast board take over one pointer event: the handler, and what it draws because of it.

Processor time of the page's own thread, so that a busy machine does not count; the screen's part is not in it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request

from ...benches import Settings
from ...bootstrap.browser import FLAGS, find_browser
from ...figures.intervals import bootstrap_figure
from ...figures.verdict import Figure, Row
from ...hosting.client import OPENER
from ...hosting.server import Server

REGIONS, PEOPLE = 16, 8
FRAME = 1000 / 60  # ms: more than that, and a drag falls behind the screen
BATCHES, EVENTS = {True: 10, False: 40}, 30
READY = "() => window.app?.graph && window.LiteGraph?.registered_node_types['Troupe_DrawRegions']"
PAINT = "paint, on a mask of 256 pixels"
DRAGS = {PAINT: "paint", "move a region": "select", "draw a box": "box"}
ON_THE_BOARD = {"move a person": "select", "hover": "select"}
MOVES = "(count) => troupeSend('pointermove', count)"

OPEN = """([type, name, text]) => {
  app.graph.clear();
  const node = LiteGraph.createNode(type);
  node.pos = [120, 120];
  app.graph.add(node);
  node.setSize([640, 800]);
  node.widgets.find((widget) => widget.name === name).value = text;
}"""
# Photos of 1024 pixels, uploaded as the board does it; gives their files.
PHOTOS = """async ([count]) => {
  const files = [];
  for (let at = 0; at < count; at++) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1024, height: 1024 });
    const pen = canvas.getContext('2d');
    pen.fillStyle = `hsl(${45 * at} 60% 50%)`;
    pen.fillRect(0, 0, 1024, 1024);
    const body = new FormData();
    const blob = await new Promise((done) => canvas.toBlob(done));
    body.append('image', new File([blob], `bench-${at}.png`, { type: 'image/png' }));
    body.append('subfolder', 'troupe');
    const { name, subfolder } = await (await fetch('/upload/image', { method: 'POST', body })).json();
    files.push(`${subfolder}/${name}`);
  }
  return files;
}"""
# Frames that an event asks for are drawn at once and counted in; the page does nothing else meanwhile.
PREPARE = """() => {
  const stage = document.querySelector('canvas.troupe-stage');
  stage.setPointerCapture = () => {};
  const later = window.requestAnimationFrame;
  let at = 0;
  window.troupeSend = (kind, count = 1) => {
    const box = stage.getBoundingClientRect();
    const frames = [];
    window.requestAnimationFrame = (frame) => frames.push(frame);
    for (const end = at + count; at < end; at++) {
      const place = { clientX: box.left + box.width * (0.35 + 0.3 * Math.sin(at / 9) ** 2),
                      clientY: box.top + box.height * (0.5 + 0.2 * Math.cos(at / 7)) };
      const pointer = { bubbles: true, button: 0, buttons: 1, pointerId: 1, pointerType: 'mouse', ...place };
      stage.dispatchEvent(new PointerEvent(kind, pointer));
      for (const frame of frames.splice(0)) frame(performance.now());
      stage.getContext('2d').getImageData(0, 0, 1, 1); // what was asked for is drawn now
    }
    window.requestAnimationFrame = later;
  };
}"""


def pointer_rows(settings: Settings) -> Iterator[Row]:
    """One row per kind of drag; none where there is no Chromium or no Playwright."""
    if find_browser() is None:
        settings.console.say("There is no Chromium on the path: nothing is measured in the editor's page.")
        return

    @cache
    def timings() -> dict[str, list[float]]:
        return measured(settings)

    for name in DRAGS:

        def figure(name: str = name) -> Figure:
            return bootstrap_figure(timings()[name])

        yield Row(f"canvas, {REGIONS} regions and a mask: {name}, per pointer event", "ms", figure, bound=FRAME)
    for name in ON_THE_BOARD:

        def figure_of_board(name: str = name) -> Figure:
            return bootstrap_figure(timings()[name])

        yield Row(f"board, {PEOPLE} people with photos: {name}, per pointer event", "ms", figure_of_board, bound=FRAME)


def crowd(count: int = REGIONS, files: Sequence[str] = ()) -> str:
    """The text of many overlapping regions, boxes and ellipses, half of them turned; `files` are people's photos."""
    places = [(0.02 + 0.24 * (number % 4), 0.02 + 0.24 * (number // 4)) for number in range(count)]
    regions = [
        {
            "name": f"person {number}",
            "shape": ("box", "ellipse")[number % 2],
            "x": x,
            "y": y,
            "width": 0.3,
            "height": 0.3,
            "rotation": 15 * (number % 3),
            "order": number,
            **({"person": {"photos": [{"file": files[number], "name": "photo.png"}]}} if files else {}),
        }
        for number, (x, y) in enumerate(places)
    ]
    return json.dumps({"version": 2, "regions": regions})


def measured(settings: Settings) -> dict[str, list[float]]:
    """Milliseconds per event of every kind of drag, in a page of its own; the first kind leaves a painted mask."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        Server(settings.installation, Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        body, kind = b"true", {"Content-Type": "application/json"}
        OPENER.open(Request(f"{server.address}/settings/Comfy.TutorialCompleted", body, kind), timeout=30).close()
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(server.address)
        page.wait_for_function(READY, timeout=120_000)
        page.wait_for_timeout(2000)
        found = {}
        board = crowd(PEOPLE, page.evaluate(PHOTOS, [PEOPLE]))
        for node, widget, text, drags in (
            ("Troupe_DrawRegions", "regions", crowd(), DRAGS),
            ("Troupe_CastBoard", "board", board, ON_THE_BOARD),
        ):
            page.evaluate(OPEN, [node, widget, text])
            page.wait_for_timeout(1500)
            page.evaluate(PREPARE)
            found |= {
                name: dragged(page, tool, BATCHES[settings.quick], name != "hover") for name, tool in drags.items()
            }
        browser.close()
    return found


def dragged(page: Any, tool: str, batches: int, pressed: bool = True) -> list[float]:
    """Milliseconds of the page's own thread per event, one figure for every batch of events of one long movement."""
    page.click(f'.troupe-toolbar [data-command="{tool}"]')
    if pressed:
        page.evaluate("() => troupeSend('pointerdown')")
    page.evaluate(MOVES, EVENTS)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    times = []
    for _ in range(batches):
        before = busy(session)
        page.evaluate(MOVES, EVENTS)
        times.append((busy(session) - before) * 1000 / EVENTS)
    if pressed:
        page.evaluate("() => troupeSend('pointerup')")
    session.detach()
    return times


def busy(session: Any) -> float:
    """Seconds of processor time that the page's thread has worked: waiting for other programs does not count."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
