"""The cast board in a real browser, in both renderers, used as a person would: photos, places, words, order."""

import json
from itertools import pairwise

import pytest
from pack.tests.web.board_page import ASPECT, PASTE, BoardPage, carried, png_of
from pack.tests.web.test_canvas_manners import CUT, SMALL

LEFT, RIGHT, FREE = (0.27, 0.5), (0.73, 0.5), (0.5, 0.5)
TWO = [
    {"name": "Ada", "x": 0.07, "y": 0.08, "width": 0.4, "height": 0.84, "order": 0},
    {"name": "Dev", "x": 0.53, "y": 0.08, "width": 0.4, "height": 0.84, "order": 1},
]


def board_of(*people, board=1):
    """A value in which the people named stand in the two places."""
    regions = [{**place, "person": person} for place, person in zip(TWO, people, strict=False)]
    return json.dumps({"version": 2, "board": board, "regions": regions})


@pytest.fixture
def board(page, renderer):
    """The page with a new Cast Board in it."""
    page.choose_renderer(renderer)  # a test between may have chosen the other
    made = BoardPage(page)
    made.open()
    yield made
    assert page.faults() == []


def test_two_photos_dropped_on_the_places_are_two_people(board):
    board.page.picture(f"board-empty-{board.page.renderer}")
    board.drop("Ada", at=LEFT)
    board.drop("Dev", at=RIGHT, called="IMG_2041.png")

    assert board.names() == ["Ada", "person 2"]
    files = [entry["person"]["photos"][0]["file"] for entry in board.people()]
    kept = [(board.page.server.base / "input" / file).read_bytes() for file in files]
    assert kept == [png_of("Ada"), png_of("Dev")]
    assert all(file.startswith("troupe/") for file in files)
    assert board.page.run("() => app.graph.nodes.length") == 2
    assert "2 of 2" in board.tab.locator(".troupe-line").inner_text()
    board.page.picture(f"board-two-{board.page.renderer}")


def test_a_third_photo_on_free_ground_is_a_person_beside_the_others(board):
    board.drop("Ada", "Dev", at=FREE)
    board.drop("Ben", at=FREE)

    assert board.names() == ["Ada", "Dev", "Ben"]
    spans = sorted((entry["x"], entry["x"] + entry["width"]) for entry in board.people())
    assert all(end <= begin + 1e-6 for (_, end), (begin, _) in pairwise(spans))
    assert spans[-1][1] <= 1
    board.undo()
    assert board.names() == ["Ada", "Dev"]
    board.page.picture(f"board-undone-{board.page.renderer}")


def test_a_second_photo_joins_and_with_alt_it_replaces(board):
    board.drop("Ada", at=LEFT)
    board.drop("Dev", at=LEFT)
    assert board.photos(0) == ["Ada.png", "Dev.png"]
    assert board.card(0).locator(".troupe-count").inner_text() == "2"
    board.drop_on_card("Ben", 0, alt=True)
    assert board.photos(0) == ["Ben.png"]
    assert board.photos(1) == []


def test_a_click_on_an_empty_place_chooses_a_photo(board, tmp_path):
    (tmp_path / "Cleo.png").write_bytes(png_of("Cleo"))
    with board.tab.expect_file_chooser() as opened:
        board.page.click(*RIGHT, ASPECT)
    board.changed(lambda: opened.value.set_files(str(tmp_path / "Cleo.png")))
    assert board.names() == ["person 1", "Cleo"]
    with board.tab.expect_file_chooser():
        board.card(0).locator(".troupe-photo").click()


def test_a_pasted_picture_and_one_of_another_node_are_photos(board):
    board.page.stage().focus()
    board.changed(lambda: board.page.run(PASTE, carried("Ada")))
    assert board.photos(0) == ["Ada.png"]
    assert board.page.run("() => app.graph.nodes.length") == 2  # the editor made no Load Image of it

    folder = board.page.server.base / "output"
    folder.mkdir(exist_ok=True)
    (folder / "Eva.png").write_bytes(png_of("Eva"))
    board.drop(at=RIGHT, uri=f"{board.page.server.address}/api/view?filename=Eva.png&type=output")
    assert board.photos(1) == ["Eva.png"]
    assert board.page.run("() => app.graph.nodes.length") == 2


def test_the_order_of_the_cards_is_the_depth_by_key_and_by_drag(board):
    board.drop("Ada", "Dev", at=FREE)
    board.drop("Ben", at=FREE)
    board.card(0).locator(".troupe-grip").focus()
    board.changed(lambda: board.tab.keyboard.press("ArrowDown"))
    assert board.names() == ["Dev", "Ada", "Ben"]
    assert [entry["order"] for entry in board.people()] == [0, 1, 2]

    grip = board.card(2).locator(".troupe-grip").bounding_box()
    first = board.card(0).bounding_box()
    board.tab.mouse.move(grip["x"] + 8, grip["y"] + 12)
    board.tab.mouse.down()
    board.tab.mouse.move(grip["x"] + 8, first["y"] + 20, steps=4)
    board.page.picture(f"board-dragged-{board.page.renderer}")
    board.changed(board.tab.mouse.up)
    assert board.names() == ["Ben", "Dev", "Ada"]
    board.undo()
    assert board.names() == ["Dev", "Ada", "Ben"]


def test_a_face_dragged_onto_another_card_changes_places(board):
    board.drop("Ada", "Dev", at=FREE)
    before = {entry["name"]: entry["x"] for entry in board.people()}
    faces = [board.card(index).locator(".troupe-photo").bounding_box() for index in (0, 1)]
    board.tab.mouse.move(faces[0]["x"] + 20, faces[0]["y"] + 20)
    board.tab.mouse.down()
    board.tab.mouse.move(faces[1]["x"] + 20, faces[1]["y"] + 20, steps=4)
    board.changed(board.tab.mouse.up)
    after = {entry["name"]: entry["x"] for entry in board.people()}
    assert after == {"Ada": before["Dev"], "Dev": before["Ada"]}


def test_words_name_and_strength_are_typed_and_taken_back_one_by_one(board):
    board.drop("Ada", at=LEFT)
    board.card(0).locator(".troupe-words").click()
    board.tab.keyboard.type("in a red coat")
    assert board.people()[0]["person"]["prompt"] == "in a red coat"  # at once, so that a queued graph has it
    board.tab.keyboard.press("Enter")
    assert board.page.run("() => document.activeElement.className") == "troupe-stage"
    name = board.card(0).locator(".troupe-name")
    name.fill("Mum")
    board.changed(lambda: name.press("Enter"))
    board.card(0).locator("> .troupe-slider input").focus()
    board.changed(lambda: board.tab.keyboard.press("ArrowLeft"))
    assert board.people()[0]["person"]["strength"] == 0.95
    assert board.names()[0] == "Mum"

    board.undo()
    assert "strength" not in board.people()[0]["person"]
    board.undo()
    assert board.names()[0] == "Ada"
    board.undo()
    assert "prompt" not in board.people()[0]["person"]
    assert board.photos(0) == ["Ada.png"]


def test_behind_the_dots_are_photos_faces_schedule_and_lock(board):
    board.drop("Ada", at=LEFT)
    board.drop("Dev", at=LEFT)
    board.card(0).locator("> .troupe-button").click()
    thumb = board.card(0).locator(".troupe-thumb").first
    thumb.locator("canvas").wait_for(timeout=30_000)
    box = thumb.bounding_box()
    board.changed(lambda: board.tab.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2))
    x, y = board.people()[0]["person"]["photos"][0]["face"]
    assert (x, y) == pytest.approx((0.25, 0.5), abs=0.03)
    board.changed(lambda: board.card(0).locator('.troupe-thumb-holder [data-command="close"]').nth(1).click())
    assert board.photos(0) == ["Ada.png"]
    board.changed(lambda: board.card(0).locator(".troupe-check input").check())
    assert board.people()[0]["person"]["whole"] is True
    board.changed(lambda: board.card(0).locator('[data-command="lock"]').click())
    assert board.people()[0]["locked"]
    board.page.picture(f"board-open-{board.page.renderer}")


def test_a_missing_photo_is_named_on_its_card_and_another_takes_its_place(board):
    board.open(board_of({"photos": [{"file": "troupe/gone.png", "name": "mum at the lake.png"}]}, {}))
    alert = board.card(0).locator("[role=alert]")
    alert.locator("button").wait_for(timeout=30_000)
    assert "mum at the lake.png" in alert.inner_text()
    board.page.picture(f"board-missing-{board.page.renderer}")
    board.drop_on_card("Ada", 0)
    assert board.photos(0) == ["Ada.png"]
    assert not alert.is_visible()


def test_a_photo_without_a_face_is_said_on_the_card_with_what_helps(board):
    board.open(engine=True)
    board.drop("wall", at=LEFT)
    board.drop("Ada", at=RIGHT)
    board.run_graph()
    alert = board.card(0).locator("[role=alert]")
    alert.locator("button").first.wait_for(timeout=30_000)
    assert "no face on wall.png" in alert.inner_text()
    board.page.picture(f"board-wrong-{board.page.renderer}")
    board.tab.keyboard.press("Escape")
    board.changed(lambda: alert.locator("button").last.click())
    assert board.people()[0]["person"]["whole"] is True
    board.run_graph()
    assert board.page.run("() => window.troupeEnded") == "execution_success"
    assert not alert.is_visible()
    board.page.picture(f"board-run-{board.page.renderer}")


def test_what_a_later_node_misses_on_a_photo_is_said_on_the_card(board):
    board.drop("wall", at=LEFT, called="the wall.png")
    board.page.run("""() => {
      const make = (kind) => {
        const node = LiteGraph.createNode(kind);
        app.graph.add(node);
        return node;
      };
      const [score, loader, picture] = ['Troupe_ScoreCast', 'Troupe_LoadFaceEngine', 'EmptyImage'].map(make);
      loader.widgets[0].value = 'troupe-demo';
      const slot = (name) => score.inputs.findIndex((one) => one.name === name);
      const into = (source, output, name) => source.connect(output, score, slot(name));
      into(loader, 0, 'engine');
      into(picture, 0, 'images');
      into(app.graph.getNodeById(1), 0, 'cast');
    }""")
    board.run_graph()
    alert = board.card(0).locator("[role=alert]")
    alert.locator("button").first.wait_for(timeout=30_000)
    assert "no face on the wall.png" in alert.inner_text()


def test_a_saved_board_opens_as_it_was_and_a_copy_is_its_own(board):
    board.drop("Ada", at=LEFT)
    value = board.text()
    saved = json.loads(json.dumps(board.page.run("() => app.graph.serialize()")))
    board.open()
    assert board.text() != value
    board.page.run("([w]) => app.loadGraphData(w, true, true, app.extensionManager.workflow.activeWorkflow)", saved)
    board.page.wait_for_canvases(1)
    assert board.text() == value
    assert board.page.run("async () => (await app.graphToPrompt()).output")["1"]["inputs"]["board"] == value


def test_inside_a_subgraph_a_drop_is_one_step_and_reaches_the_prompt(board):
    board.page.run("""() => {
      const node = app.graph.nodes.find((one) => one.type === 'Troupe_CastBoard');
      const { subgraph, node: outer } = app.graph.convertToSubgraph(new Set([node]));
      app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState();
      app.canvas.openSubgraph(subgraph, outer);
    }""")
    board.page.wait_for_canvases(1)
    board.drop("Ada", at=LEFT)
    board.drop("Dev", at=RIGHT)
    queued = board.page.run("async () => Object.values((await app.graphToPrompt()).output)")
    assert board.text() in [node["inputs"].get("board") for node in queued]
    board.undo(presses=2)  # the front end loses one press in about eight in a subgraph
    assert board.names() == ["Ada", "person 2"]
    board.drop("Dev", at=RIGHT)  # on the element that is on the screen now
    assert board.names() == ["Ada", "Dev"]


def test_after_a_run_faces_are_cut_out_and_people_from_the_wire_are_named(board):
    board.open(engine=True)
    board.drop("Gia" if board.page.renderer == "classic" else "Hugo", at=LEFT)  # what was run before is not run again
    face = "() => document.querySelector('.troupe-photo canvas').toDataURL()"
    guessed = board.page.run(face)
    board.run_graph()
    board.tab.wait_for_function(f"(old) => ({face})() !== old", arg=guessed, timeout=30_000)
    wired = [{"name": "Gia", "region": "left"}]
    result = {"lines": [], "faces": [], "wired": wired}  # as the server sends it where a cast is connected
    board.page.run("([result]) => app.graph.getNodeById(1).onExecuted({ troupe_board: [result] })", result)
    board.page.settle()
    assert "Gia" in board.tab.locator(".troupe-wired").inner_text()
    board.page.picture(f"board-after-{board.page.renderer}")


def test_a_finger_moves_a_person_and_their_card(board):
    board.drop("Ada", "Dev", at=FREE)
    touch = board.tab.context.new_cdp_session(board.tab)

    def drag(start, end):
        for kind, place in (("touchStart", start), ("touchMove", end), ("touchMove", end)):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": place[0], "y": place[1]}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    before = board.people()[0]["x"]
    board.changed(lambda: drag(board.page.at(*LEFT, ASPECT), board.page.at(0.33, 0.5, ASPECT)))
    assert board.people()[0]["x"] == pytest.approx(before + 0.06, abs=0.02)
    grip, other = (board.card(index).locator(".troupe-grip").bounding_box() for index in (0, 1))
    board.changed(lambda: drag((grip["x"] + 9, grip["y"] + 20), (other["x"] + 9, other["y"] + 38)))
    assert board.names() == ["Dev", "Ada"]


def test_a_ninth_person_is_not_taken(board):
    board.drop(*["Ada"] * 2, at=FREE)  # the same photo of two people
    for name in ("Ben", "Cleo", "Dev", "Eva", "Finn", "Gia"):
        board.drop(name, at=(0.999, 0.01))
    assert len(board.names()) == 8
    before = board.text()
    board.page.run("() => document.querySelector('.troupe-stage').focus()")
    board.page.run(PASTE, carried("Hugo"))
    board.tab.wait_for_timeout(600)
    assert board.text() == before
    assert "8" in board.tab.locator(".troupe-line").inner_text()
    board.page.picture(f"board-eight-{board.page.renderer}")


def test_a_broken_value_is_kept_and_said(board):
    board.open('{"version": 2, "regions": [{"name": "Ada", "x": "wide"}]}')
    assert "'x' of region 1 ('Ada')" in board.tab.locator(".troupe-broken").inner_text()
    assert "wide" in board.text()


@pytest.mark.parametrize("language", ["en", "de", "fr", "ja", "zh"])
def test_the_board_can_be_hit_and_read_in_every_language(page, language):
    page.choose_renderer("nodes2")  # where it is narrower
    board = BoardPage(page)
    page.set("Troupe.Language", language)
    try:
        board.open(size=(480, 720))
        board.drop("Ada", "Dev", at=FREE)
        board.card(0).locator("> .troupe-button").click()
        assert board.page.run(SMALL) == []
        assert board.page.run(CUT) == []
        nameless = """() => [...document.querySelectorAll('.troupe-board :is(button, input, select, textarea)')]
          .filter((one) => one.offsetParent && one.type !== 'file' && !one.closest('label'))
          .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim())).map((one) => one.outerHTML)"""
        assert board.page.run(nameless) == []
        board.page.picture(f"board-{language}-{board.page.renderer}")
    finally:
        board.page.set("Troupe.Language", "auto")
