"""The board and the canvas where people use them: few actions, answers after a run, in panels, apps and subgraphs."""

import json

import pytest
from pack.tests.web.board_page import DROP, BoardPage, carried
from pack.tests.web.counted_person import CountedPerson

LEFT, RIGHT = (0.27, 0.5), (0.73, 0.5)
MAKE = """async ([specs]) => {
  const empty = { id: crypto.randomUUID(), version: 0.4, last_node_id: 0, last_link_id: 0, nodes: [], links: [] };
  await app.loadGraphData(empty, true, true, app.extensionManager.workflow.activeWorkflow);
  const made = {};
  for (const [name, { type, at, size, widgets = {}, links = {} }] of Object.entries(specs)) {
    const node = made[name] = LiteGraph.createNode(type);
    node.pos = at;
    app.graph.add(node);
    if (size) node.setSize(size);
    for (const [key, value] of Object.entries(widgets)) {
      const widget = node.widgets.find((one) => one.name === key);
      widget.value = value;
      widget.callback?.(value);
    }
    for (const [input, [from, slot]] of Object.entries(links)) {
      made[from].connect(slot, node, node.inputs.findIndex((one) => one.name === input));
    }
  }
}"""
OPEN = """async ([address]) => {
  const graph = typeof address === 'string' ? await (await fetch(address)).json() : address;
  await app.loadGraphData(graph, true, true, app.extensionManager.workflow.activeWorkflow);
  Object.assign(app.canvas.ds, { scale: 0.6, offset: [140, 160] });
  app.canvas.setDirty(true, true);
}"""
PROMPT = "async () => Object.values((await app.graphToPrompt()).output)"
PATCH = """([red, green, blue]) => {
  const stage = document.querySelector('canvas.troupe-stage');
  const { data } = stage.getContext('2d').getImageData(0, 0, stage.width, stage.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    count += Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue) < 45;
  }
  return count;
}"""
ON_A_FACE = """() => {
  const node = app.graph.nodes.find((one) => ['Troupe_CastBoard', 'Troupe_DrawRegions'].includes(one.type));
  const { subgraph, node: outer } = app.graph.convertToSubgraph(new Set([node]));
  const inside = subgraph.nodes[0];
  const slot = inside.inputs.find((one) => ['board', 'regions'].includes(one.widget?.name));
  subgraph.addInput(slot.name, 'STRING').connect(slot, inside);
  outer.pos = [120, 60];
  app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState();
  return slot.name;
}"""
FACE = """() => {
  const outer = app.graph.nodes.find((one) => one.isSubgraphNode?.());
  return outer.widgets.find((one) => ['board', 'regions'].includes(one.name)).value;
}"""
MEMBERS = """() => app.graph.nodes.filter((node) => node.type === 'Troupe_CastMember')
  .map((node) => [node.widgets.find(({ name }) => name === 'region').value, Boolean(node.has_errors)])"""
THREE = [{"name": name, "x": 0.02 + 0.33 * at, "y": 0.1, "width": 0.3, "height": 0.8} for at, name in enumerate("abc")]


@pytest.fixture
def board(page, renderer):
    """The page as a board's tests use it."""
    page.choose_renderer(renderer)  # a test between may have chosen the other
    yield BoardPage(page)
    page.run("() => app.extensionManager.toast.removeAll()")
    assert page.faults() == []


def lit(board, wanted) -> bool:
    """Whether the stage has a patch of about this colour before long."""
    for _ in range(60):
        if board.page.run(PATCH, *wanted) > 60:
            return True
        board.tab.wait_for_timeout(100)
    return False


def test_two_own_photos_are_queued_in_twelve_actions_and_a_third_is_one_more(board):
    page, tab = board.page, board.tab
    models = page.server.base / "models" / "checkpoints"
    models.mkdir(parents=True, exist_ok=True)
    (models / "v1-5-pruned-emaonly-fp16.safetensors").write_bytes(b"")  # it is queued here, not drawn
    page.set("Comfy.LinkRelease.Action", "search box")  # as in a new installation
    page.run("() => app.refreshComboInNodes()")
    page.run(OPEN, "/templates/default.json")
    tab.wait_for_timeout(500)
    who = CountedPerson(page)

    who.double_click(200, 620)
    who.type_word("board")
    who.press("Enter")
    who.click(210, 600)
    who.drop(["Ada", "Dev"], 200, 660)
    who.drag(("Troupe_CastBoard", False, "cast"), (610, 600))
    who.click_on("Apply Cast")
    who.click(700, 640)
    who.drag(("CheckpointLoaderSimple", False, "MODEL"), ("Troupe_ApplyCast", True, "model"))
    who.drag(("Troupe_ApplyCast", False, "model"), ("KSampler", True, "model"))
    with tab.expect_response("**/prompt") as answered:
        who.press("Control+Enter")

    sent = json.loads(answered.value.request.post_data)["prompt"]
    kinds = {node["class_type"]: node["inputs"] for node in sent.values()}
    assert len(who.actions) <= 12, who.actions
    assert answered.value.status == 200, answered.value.text()
    assert [kind for kind in kinds if kind.startswith("Troupe_")] == ["Troupe_CastBoard", "Troupe_ApplyCast"]
    assert sent[kinds["KSampler"]["model"][0]]["class_type"] == "Troupe_ApplyCast"
    assert sent[kinds["Troupe_ApplyCast"]["cast"][0]]["class_type"] == "Troupe_CastBoard"
    assert [len(entry["person"]["photos"]) for entry in json.loads(kinds["Troupe_CastBoard"]["board"])["regions"]] == [
        1,
        1,
    ]
    page.picture(f"counted-{page.renderer}")

    before = len(who.actions)
    who.drop(["Ben"], 200, 660)
    tab.wait_for_function("() => document.querySelectorAll('.troupe-card').length === 3", timeout=5_000)
    assert board.names() == ["Ada", "Dev", "Ben"]
    assert len(who.actions) == before + 1


def test_after_a_run_the_board_has_the_picture_and_what_was_read_on_it(board):
    page, tab = board.page, board.tab
    page.run(MAKE, {
        "engine": {"type": "Troupe_LoadFaceEngine", "at": [1000, 400],
                   "widgets": {"pack": "troupe-demo", "provider": "CPU"}},
        "ada": {"type": "Troupe_DemoPhoto", "at": [1000, 620]},
        "board": {"type": "Troupe_CastBoard", "at": [120, 60], "size": [540, 780],
                  "widgets": {"width": 256, "height": 256}, "links": {"engine": ["engine", 0]}},
        "score": {"type": "Troupe_ScoreCast", "at": [690, 60], "size": [280, 480],
                  "links": {"engine": ["engine", 0], "images": ["ada", 0], "cast": ["board", 0]}},
        "extract": {"type": "Troupe_ExtractIdentity", "at": [1000, 60], "size": [260, 480],
                    "links": {"engine": ["engine", 0], "image": ["ada", 0]}},
        "view": {"type": "PreviewImage", "at": [690, 640], "links": {"images": ["extract", 1]}},
    })  # fmt: skip
    page.zoom_graph(1.0)
    page.wait_for_canvases(1)
    for name, at in (("Ada", LEFT), ("Dev", RIGHT)):
        place = page.at(*at)
        board.changed(lambda name=name, place=place: page.run(DROP, [carried(name)], *place, False, None))
    board.run_graph()

    assert page.run("() => window.troupeEnded") == "execution_success"
    tab.wait_for_function("() => /^\\d of 2 in the right place/.test(document.querySelector('.troupe-line').innerText)")
    tab.wait_for_function("() => document.querySelectorAll('.troupe-answer').length === 2")
    lines = tab.locator(".troupe-answer").all_inner_texts()
    assert any("of 2 in the right place. Ada " in line and "Dev missing." in line for line in lines)
    assert any("took face 1" in line for line in lines)
    assert (
        len(
            page.run("() => Object.values(app.nodeOutputs).filter((one) => one.troupe_line && one.images).length") * [0]
        )
        == 2
    )
    assert lit(board, (76, 22, 22))  # the chip of who is missing
    page.picture(f"answers-{page.renderer}")

    tab.mouse.dblclick(*page.at(0.5, 0.03))
    page.settle()
    box = tab.locator(".troupe-regions").bounding_box()
    assert (box["width"], box["height"]) == (1280, 960)
    page.picture(f"full-{page.renderer}")
    page.keys("Escape")
    assert tab.locator(".troupe-regions").bounding_box()["width"] < 560


def test_an_error_is_a_message_with_our_sentence(board):
    board.open(engine=True)
    board.drop("wall", at=LEFT)
    board.run_graph()
    message = board.tab.locator(".p-toast-message")
    message.wait_for(timeout=5_000)
    text = message.inner_text()
    assert text.startswith(
        "Cast Board\nNo face on 'wall.png' of 'wall'. Choose another photo, or take the whole picture."
    )
    assert len(text) < 330
    board.page.picture(f"message-{board.page.renderer}")
    board.tab.keyboard.press("Escape")


def test_the_panel_has_the_same_board(board):
    board.open()
    board.page.look_at(0.8, [0, 140])
    board.page.run("() => app.canvas.selectNode(app.graph.nodes.find((node) => node.type === 'Troupe_CastBoard'))")
    board.tab.locator('[data-testid="info-button"]').first.click()
    board.tab.get_by_role("tab", name="Parameters").click()
    there = board.tab.locator('[data-testid="properties-panel"] .troupe-board')
    there.wait_for(timeout=5_000)
    name = there.locator(".troupe-name").first
    name.fill("Mum")
    board.changed(lambda: name.press("Enter"))
    assert board.names()[0] == "Mum"
    assert [one.input_value() for one in board.tab.locator(".troupe-name").all()] == ["Mum", "person 2"] * 2
    board.page.picture(f"in-panel-{board.page.renderer}")
    board.tab.get_by_role("tab", name="Info").click()
    board.page.run("() => app.extensionManager.setting.set('Comfy.RightSidePanel.IsOpen', false)")


def test_an_app_has_the_board_and_gives_it_back(board):
    board.open()
    graph = board.page.run("() => app.graph.serialize()")
    graph["extra"] = {**(graph.get("extra") or {}), "linearData": {"inputs": [[1, "board"]], "outputs": [3]}}
    board.page.run(OPEN, graph)
    board.page.wait_for_canvases(1)
    home = board.tab.locator(".troupe-board").bounding_box()
    board.page.run("() => app.extensionManager.command.execute('Comfy.ToggleLinear')")
    board.tab.wait_for_function(
        "([x]) => document.querySelector('.troupe-board')?.getBoundingClientRect().x > x + 200", arg=[home["x"]]
    )
    tour = board.tab.get_by_role("button", name="Skip")  # of front ends that greet those who come to apps first
    board.tab.wait_for_timeout(500)
    if tour.count():
        tour.first.click()
    board.page.picture(f"app-{board.page.renderer}")
    board.drop("Ada", at=LEFT)
    assert board.names()[0] == "Ada"
    board.page.run("() => app.extensionManager.command.execute('Comfy.ToggleLinear')")
    board.page.wait_for_canvases(1)


@pytest.mark.parametrize("kind", ["board", "regions"])
def test_a_subgraph_has_the_canvas_on_its_face(board, kind):
    page, tab = board.page, board.tab
    if kind == "board":
        board.open()
    else:
        page.load(page.workflow())
    assert page.run(ON_A_FACE) == kind
    page.zoom_graph(1.0)
    page.wait_for_canvases(1)
    fields = ".troupe-cards" if kind == "board" else ".troupe-list"
    name = tab.locator(f"{fields} input[type=text]:visible").first
    name.wait_for(timeout=5_000)
    before = page.run(FACE)

    name.fill("Mum")
    name.press("Enter")
    tab.wait_for_timeout(300)
    assert json.loads(page.run(FACE))["regions"][0]["name"] == "Mum"
    queued = [node["inputs"][kind] for node in page.run(PROMPT) if kind in node["inputs"]]
    assert json.loads(queued[0])["regions"][0]["name"] == "Mum"
    page.picture(f"face-{kind}-{page.renderer}")

    tab.keyboard.press("Control+z")
    old = json.loads(before)["regions"][0]["name"]
    for _ in range(100):
        if json.loads(page.run(FACE))["regions"][0]["name"] == old:
            break
        tab.wait_for_timeout(50)
    assert json.loads(page.run(FACE))["regions"][0]["name"] == old  # the text may be written anew
    page.wait_for_canvases(1)
    assert name.input_value() != "Mum"


def test_a_members_region_is_chosen_from_a_list_in_colours(board):
    page, tab = board.page, board.tab
    page.run(MAKE, {
        "draw": {"type": "Troupe_DrawRegions", "at": [80, 60],
                 "widgets": {"regions": json.dumps({"version": 2, "regions": THREE})}},
        "one": {"type": "Troupe_CastMember", "at": [540, 60], "links": {"regions": ["draw", 0]}},
        "two": {"type": "Troupe_CastMember", "at": [540, 360], "links": {"regions": ["draw", 0], "cast": ["one", 0]}},
        "board": {"type": "Troupe_CastBoard", "at": [860, 60], "size": [400, 760], "links": {"cast": ["two", 0]}},
    })  # fmt: skip
    page.zoom_graph(1.0)
    page.wait_for_canvases(2)
    assert page.run(MEMBERS) == [["", False], ["", False]]
    tab.wait_for_function("() => document.querySelectorAll('.troupe-wired li').length === 2")
    assert tab.locator(".troupe-wired strong").all_inner_texts() == ["a", "b"]

    if page.renderer == "nodes2":
        tab.locator('[data-testid="widget-select-default-trigger"][aria-label="region"]').last.click()
        choices = tab.locator('[role="option"]')
    else:
        tab.mouse.click(
            *page.run("""() => {
          const node = app.graph.nodes.filter((one) => one.type === 'Troupe_CastMember')[1];
          const { left, top } = app.canvas.canvas.getBoundingClientRect();
          const at = [node.pos[0] + 120, node.pos[1] + node.widgets[0].y + 10];
          const [x, y] = app.canvas.ds.convertOffsetToCanvas(at);
          return [left + x, top + y];
        }""")
        )
        choices = tab.locator(".litemenu-entry")
    choices.last.wait_for(timeout=5_000)
    tab.wait_for_timeout(200)
    assert choices.all_inner_texts() == ["automatic", "a", "b", "c"]
    assert choices.locator(".troupe-dot").count() == 3
    page.picture(f"choice-{page.renderer}")
    choices.last.click()
    page.settle()
    assert page.run(MEMBERS) == [["", False], ["c", False]]
    tab.wait_for_function("() => document.querySelector('.troupe-wired li:last-child strong').innerText === 'c'")

    name = tab.locator(".troupe-list input[type=text]").nth(2)
    name.fill("z")
    name.press("Enter")
    tab.wait_for_timeout(200)
    assert page.run(MEMBERS) == [["", False], ["c", True]]
    if page.renderer == "nodes2":
        tab.locator('[aria-label="region"][aria-invalid="true"]').wait_for(timeout=5_000)
    page.picture(f"choice-gone-{page.renderer}")
    name.fill("c")
    name.press("Enter")
    tab.wait_for_timeout(200)
    assert page.run(MEMBERS) == [["", False], ["c", False]]
