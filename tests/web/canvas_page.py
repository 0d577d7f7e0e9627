"""The editor's page as the tests of the canvas use it: places are fractions of the picture, never pixels."""

import json
import urllib.request

MARGIN = 14  # pixels that the stage leaves around the picture
READY = "() => window.app?.graph && window.LiteGraph?.registered_node_types['Troupe_DrawRegions']"
BOX = """([index]) => {
  const canvas = document.querySelectorAll('canvas.troupe-stage')[index];
  const {left, top, width, height} = canvas.getBoundingClientRect();
  return [left, top, width, height, canvas.clientWidth, canvas.clientHeight];
}"""
TWO_BOXES = [
    {"name": "left", "x": 0.1, "y": 0.1, "width": 0.3, "height": 0.8},
    {"name": "right", "x": 0.6, "y": 0.1, "width": 0.3, "height": 0.8},
]


class CanvasPage:
    """A page of the editor. `tab` is Playwright's page."""

    def __init__(self, tab, server, screenshots):
        self.tab, self.server, self.screenshots = tab, server, screenshots
        self.errors = []
        self.renderer = None
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        for name, value in {
            "Comfy.TutorialCompleted": True,
            "Comfy.Locale": "en",
            "Comfy.Minimap.Visible": False,
        }.items():
            self._store_setting(name, value)
        tab.goto(server.address)
        tab.wait_for_function(READY, timeout=90_000)
        tab.wait_for_timeout(1000)

    def _store_setting(self, name, value):
        body = json.dumps(value).encode()
        request = urllib.request.Request(
            f"{self.server.address}/settings/{name}", body, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()

    def set(self, name, value):
        """Change one of the editor's settings."""
        self.run("([name, value]) => app.extensionManager.setting.set(name, value)", name, value)

    def run(self, script, *values):
        """Run a function in the page."""
        return self.tab.evaluate(script, list(values))

    def faults(self):
        """What the page threw since this was last asked."""
        found, self.errors = self.errors, []
        return found

    def choose_renderer(self, renderer):
        if renderer != self.renderer:
            self.set("Comfy.VueNodes.Enabled", renderer == "nodes2")
            self.renderer = renderer

    def workflow(self, regions=TWO_BOXES, width=512, height=512, nodes=1, size=(420, 640)):
        """A workflow of Draw Regions nodes beside each other."""
        text = regions if isinstance(regions, str) else json.dumps({"version": 2, "regions": regions})
        made = [
            {
                "id": number,
                "type": "Troupe_DrawRegions",
                "pos": [120 + (number - 1) * (size[0] + 60), 130],
                "size": list(size),
                "inputs": [{"name": "image", "type": "IMAGE", "link": None}],
                "outputs": [
                    {"name": "regions", "type": "TROUPE_REGIONS", "links": []},
                    {"name": "masks", "type": "MASK", "links": []},
                ],
                "properties": {"Node name for S&R": "Troupe_DrawRegions"},
                "widgets_values": [width, height, text],
            }
            for number in range(1, nodes + 1)
        ]
        return {"version": 0.4, "last_node_id": nodes, "last_link_id": 0, "nodes": made, "links": [], "groups": []}

    def load(self, workflow, scale=1.0):
        """Open a workflow and wait until its canvases are on the page."""
        here = "([workflow]) => app.loadGraphData(workflow, true, true, app.extensionManager.workflow.activeWorkflow)"
        self.run(here, workflow)
        self.zoom_graph(scale)
        wanted = sum(node["type"] == "Troupe_DrawRegions" for node in workflow["nodes"])
        self.wait_for_canvases(wanted)

    def wait_for_canvases(self, count):
        script = """([count]) => {
          const all = [...document.querySelectorAll('canvas.troupe-stage')];
          return all.filter((one) => one.getBoundingClientRect().width > 20).length === count;
        }"""
        self.tab.wait_for_function(script, arg=[count], timeout=30_000)
        self.settle()

    def zoom_graph(self, scale):
        self.look_at(scale, [0, 0])

    def look_at(self, scale, offset):
        """Zoom and pan the graph."""
        script = """([scale, offset]) => {
          Object.assign(app.canvas.ds, { scale, offset });
          app.canvas.setDirty(true, true);
        }"""
        self.run(script, scale, offset)
        self.tab.wait_for_timeout(100)
        self.settle()

    def settle(self):
        """Wait for two frames: a change is on the screen then."""
        self.tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def stage(self, index=0):
        return self.tab.locator("canvas.troupe-stage").nth(index)

    def part(self, selector, index=0):
        """Something inside of one canvas widget."""
        return self.tab.locator(".troupe-regions").nth(index).locator(selector)

    def press(self, command, index=0):
        """Click on the button of a command."""
        self.part(f'.troupe-toolbar [data-command="{command}"]', index).click()

    def at(self, x, y, aspect=1.0, index=0):
        """Where a point of the picture is on the screen."""
        left, top, width, height, own_width, own_height = self.run(BOX, index)
        scale = min((own_width - 2 * MARGIN) / aspect, own_height - 2 * MARGIN)
        across, down = own_width / 2 + (x - 0.5) * aspect * scale, own_height / 2 + (y - 0.5) * scale
        return left + across * width / own_width, top + down * height / own_height

    def drag(self, start, end, aspect=1.0, index=0, lift=True):
        """Drag with the left mouse button from one point of the picture to another."""
        self.tab.mouse.move(*self.at(*start, aspect, index))
        self.tab.mouse.down()
        self.tab.mouse.move(*self.at(*[(a + b) / 2 for a, b in zip(start, end, strict=True)], aspect, index))
        self.tab.mouse.move(*self.at(*end, aspect, index))
        if lift:
            self.tab.mouse.up()
        self.settle()

    def click(self, x, y, aspect=1.0, index=0):
        self.tab.mouse.click(*self.at(x, y, aspect, index))
        self.settle()

    def text(self, index=0):
        """The value of the widget."""
        script = """([index]) => app.graph.nodes.filter((node) => node.type === 'Troupe_DrawRegions')[index]
          .widgets.find((widget) => widget.name === 'regions').value"""
        return self.run(script, index)

    def regions(self, index=0):
        return json.loads(self.text(index))["regions"]

    def region(self, name, index=0):
        return next(region for region in self.regions(index) if region["name"] == name)

    def names(self, index=0):
        return [region["name"] for region in self.regions(index)]

    def prompt_text(self, number="1"):
        """The value as it would be queued."""
        return self.run("async () => (await app.graphToPrompt()).output")[number]["inputs"]["regions"]

    def keys(self, *keys):
        for key in keys:
            self.tab.keyboard.press(key)
        self.settle()

    def undo(self, again=False):
        """Ctrl+Z or Ctrl+Y, and wait until the editor has made the graph anew."""
        before = self.text()
        self.tab.keyboard.press("Control+y" if again else "Control+z")
        for _ in range(40):
            self.tab.wait_for_timeout(50)
            if self.text() != before:
                break
        self.wait_for_canvases(self.run("() => app.graph.nodes.filter((n) => n.type === 'Troupe_DrawRegions').length"))

    def picture(self, name):
        """Keep a screenshot."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=str(self.screenshots / f"{name}.png"))
