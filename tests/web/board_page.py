"""The cast board as the tests use it: photos of the demo's people, dropped and pasted as a browser would."""

import base64
import io
import json

import torch
from pack.demo.people_by_name import photo_of
from PIL import Image

ASPECT = 1024 / 768
DROP = """([photos, x, y, alt, uri]) => {
  const transfer = new DataTransfer();
  for (const [data, name] of photos) {
    transfer.items.add(new File([Uint8Array.from(atob(data), (l) => l.charCodeAt(0))], name, { type: 'image/png' }));
  }
  if (uri) transfer.setData('text/uri-list', uri);
  const target = document.elementFromPoint(x, y);
  const given = { bubbles: true, cancelable: true, dataTransfer: transfer, clientX: x, clientY: y, altKey: alt };
  for (const kind of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(kind, given));
}"""
PASTE = """([[data, name]]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(data), (l) => l.charCodeAt(0))], name, { type: 'image/png' }));
  const given = { bubbles: true, cancelable: true, clipboardData: transfer };
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', given));
}"""
VALUE = """() => {
  const node = app.canvas.graph.nodes.find((one) => one.type === 'Troupe_CastBoard');
  return node.widgets.find((widget) => widget.name === 'board').value;
}"""


def png_of(name: str) -> bytes:
    """The photo of one of the demo's people; of "wall", of nobody."""
    if name == "wall":
        picture = Image.new("RGB", (96, 96), (90, 90, 90))
    else:
        picture = Image.fromarray((photo_of(name) * 255).round().to(torch.uint8).numpy())
    picture.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def carried(name: str, called: str | None = None) -> list[str]:
    """A photo as the scripts above take it: data and file name."""
    return [base64.b64encode(png_of(name)).decode(), called or f"{name}.png"]


class BoardPage:
    """A page with a Cast Board in it. `page` is a CanvasPage."""

    def __init__(self, page):
        self.page, self.tab = page, page.tab

    def open(self, value: str | None = None, engine: bool = False, size=(540, 780), more=()):
        """A workflow with a board: a new one, or one with a value, with an engine and a view of the report beside."""
        board = {
            "id": 1, "type": "Troupe_CastBoard", "pos": [120, 60], "size": list(size),
            "inputs": [
                {"name": "clip", "type": "CLIP", "link": None}, {"name": "cast", "type": "TROUPE_CAST", "link": None},
                {"name": "engine", "type": "TROUPE_FACE_ENGINE", "link": 1 if engine else None},
                {"name": "image", "type": "IMAGE", "link": None},
            ],
            "outputs": [
                {"name": name, "type": kind, "links": [2] if name == "report" else []}
                for name, kind in (
                    ("cast", "TROUPE_CAST"), ("regions", "TROUPE_REGIONS"), ("masks", "MASK"), ("width", "INT"),
                    ("height", "INT"), ("report", "STRING"),
                )
            ],
            "properties": {"Node name for S&R": "Troupe_CastBoard"},
            "widgets_values": [1024, 768, *([] if value is None else [value])],
        }  # fmt: skip
        loader = {
            "id": 2, "type": "Troupe_LoadFaceEngine", "pos": [760, 500], "size": [300, 130], "inputs": [],
            "outputs": [{"name": "engine", "type": "TROUPE_FACE_ENGINE", "links": [1] if engine else []}],
            "widgets_values": ["troupe-demo", "CPU", "built-in", "memory"],
        }  # fmt: skip
        report = {
            "id": 3, "type": "PreviewAny", "pos": [760, 130], "size": [300, 200], "outputs": [],
            "inputs": [{"name": "source", "type": "*", "link": 2}],
        }  # fmt: skip
        nodes = [board, report, *([loader] if engine else []), *more]
        links = [[2, 1, 5, 3, 0, "STRING"], *([[1, 2, 0, 1, 2, "TROUPE_FACE_ENGINE"]] if engine else [])]
        workflow = {
            "version": 0.4, "last_node_id": 9, "last_link_id": 2, "nodes": nodes, "links": links, "groups": [],
        }  # fmt: skip
        self.page.run(
            "([w]) => app.loadGraphData(w, true, true, app.extensionManager.workflow.activeWorkflow)", workflow
        )
        self.page.zoom_graph(1.0)
        self.page.wait_for_canvases(1)

    def text(self) -> str:
        return self.page.run(VALUE)

    def people(self) -> list[dict]:
        """Name, place and person of everybody, in the order of the list."""
        return json.loads(self.text())["regions"]

    def names(self) -> list[str]:
        return [entry["name"] for entry in self.people()]

    def photos(self, index: int) -> list[str]:
        """What the photos of a person are called."""
        return [photo["name"] for photo in self.people()[index].get("person", {}).get("photos", [])]

    def changed(self, act) -> None:
        """Do something, and wait until the value is another."""
        before = self.text()
        act()
        for _ in range(200):
            if self.text() != before:
                break
            self.tab.wait_for_timeout(25)
        assert self.text() != before
        self.page.settle()

    def drop(self, *names, at=(0.5, 0.5), alt=False, called=None, uri=None) -> None:
        """Drop photos on a point of the picture."""
        place = self.page.at(*at, ASPECT)
        photos = [carried(name, called) for name in names]
        self.changed(lambda: self.page.run(DROP, photos, *place, alt, uri))

    def drop_on_card(self, name: str, index: int, alt=False) -> None:
        box = self.card(index).bounding_box()
        place = [box["x"] + box["width"] / 2, box["y"] + 10]
        self.changed(lambda: self.page.run(DROP, [carried(name)], *place, alt, None))

    def card(self, index: int):
        return self.tab.locator(".troupe-card").nth(index)

    def undo(self, presses: int = 1) -> None:
        """Ctrl+Z, and once more where the first press brought back the state that was there."""
        before = self.text()
        for _ in range(presses - 1):
            self.tab.keyboard.press("Control+z")
            self.tab.wait_for_timeout(1500)
            if self.text() != before:
                break
        else:
            self.changed(lambda: self.tab.keyboard.press("Control+z"))
        self.page.wait_for_canvases(1)

    def run_graph(self) -> None:
        """Queue, and wait for the end of the run, good or bad."""
        self.page.run("""async () => {
          window.troupeEnded = null;
          const { api } = await import('/scripts/api.js');
          for (const kind of ['execution_success', 'execution_error']) {
            api.addEventListener(kind, () => (window.troupeEnded = kind), { once: true });
          }
          await app.queuePrompt(0, 1);
        }""")
        self.tab.wait_for_function("() => window.troupeEnded", timeout=60_000)
        self.page.settle()
