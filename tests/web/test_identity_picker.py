"""Faces beside the files in Load Identity's list, in a real browser, in both renderers."""

import numpy as np
import pytest
from pack.face.identity import Identity
from pack.face.identity_file import save_identity

COUNTING = """() => {
  if (window.watchedBody !== undefined) return;
  window.watchedBody = 0;
  const mine = new Set();
  const { observe, disconnect } = MutationObserver.prototype;
  MutationObserver.prototype.observe = function (target, options) {
    if (target === document.body && /open_lists/.test(new Error().stack)) mine.add(this), window.watchedBody++;
    return observe.call(this, target, options);
  };
  MutationObserver.prototype.disconnect = function () {
    if (mine.delete(this)) window.watchedBody--;
    return disconnect.call(this);
  };
}"""


@pytest.fixture
def saved(server):
    """Two saved people in the server's own folder, one of them a file that is none."""
    folder = server.base / "models" / "identities"
    crops = np.full((1, 112, 112, 3), (200, 60, 20), np.uint8)
    points, boxes = np.zeros((1, 5, 2), np.float32), np.zeros((1, 4), np.float32)
    save_identity(
        folder / "Ada Ł.safetensors", Identity("Ada", {"r": np.ones((1, 4), np.float32)}, crops, points, boxes)
    )
    (folder / "broken.safetensors").write_bytes(b"no identity")
    return folder


def test_the_route_gives_a_face_and_says_what_is_wrong_with_a_file(server, saved):
    from urllib.error import HTTPError
    from urllib.parse import quote

    route = "/troupe/identity_picture?file="
    assert server.client.get(route + quote("Ada Ł.safetensors")).startswith(b"\x89PNG")
    for name in ("broken.safetensors", "gone.safetensors", "../x", ""):
        with pytest.raises(HTTPError) as caught:
            server.client.get(route + quote(name))
        assert caught.value.code == 404
        said = caught.value.read().decode()
        assert str(server.base) not in said


def test_nobody_keeps_a_face_or_guesses_its_kind(server, saved):
    from urllib.parse import quote
    from urllib.request import urlopen

    with urlopen(f"{server.address}/troupe/identity_picture?file={quote('Ada Ł.safetensors')}") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_list_shows_the_faces_of_the_files(page, renderer, saved):
    page.tab.add_init_script(f"({COUNTING})()")
    page.tab.reload()
    page.tab.wait_for_function("() => window.app?.graph && LiteGraph.registered_node_types['Troupe_LoadIdentity']")
    page.tab.wait_for_timeout(1500)
    page.run(
        """() => {
          app.graph.clear();
          const node = LiteGraph.createNode('Troupe_LoadIdentity');
          node.pos = [200, 200];
          app.graph.add(node);
        }"""
    )
    page.look_at(1.0, [0, 0])
    page.tab.wait_for_timeout(500)
    assert page.run("() => window.watchedBody") == 0
    if renderer == "classic":
        place = page.run(
            """() => {
              const [node] = app.graph.nodes;
              const rect = app.canvas.canvas.getBoundingClientRect();
              return [rect.left + node.pos[0] + node.size[0] / 2, rect.top + node.pos[1] + node.widgets[0].last_y + 10];
            }"""
        )
        page.tab.mouse.click(*place)
    else:
        page.tab.locator(
            '[data-node-id] [role="combobox"], [data-node-id] button:has-text("safetensors")'
        ).first.click()

    faces = page.tab.locator("img.troupe-face")
    faces.first.wait_for(timeout=30_000)
    page.tab.wait_for_timeout(500)

    assert faces.count() == 1  # the broken file has none
    assert faces.first.evaluate("face => face.naturalWidth") == 96
    assert page.run("() => window.watchedBody") == 1
    page.tab.keyboard.press("Escape")
    page.tab.mouse.click(900, 700)  # the classic list closes when something else is clicked on
    page.tab.wait_for_function("() => window.watchedBody === 0", timeout=30_000)
    assert page.faults() == []
