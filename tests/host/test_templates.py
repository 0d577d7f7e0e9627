"""Templates: numbers, notes, room for every node, a view to begin with; for own photos addresses and the Doctor."""

import copy
import json
import string
from itertools import combinations

import folder_paths
import pytest
from comfy_api.latest import io
from pack.nodes import NODES
from pack.nodes.host.doctor.doctor_workflows import FOLDERS, NAMES
from pack.nodes.host.model_files import FILES
from pack.nodes.host.model_folders import register_model_folders
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.showing.templates import SCALE, START, dressed, takes_photos
from pack.tests.host.test_checkpoint_workflows import NEEDS

WORKFLOWS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "workflows").glob("*.json")}
OF_PHOTOS = sorted(name for name, workflow in WORKFLOWS.items() if takes_photos(workflow))
TITLE = 30  # a node's title lies so far above its position
ROW, WIDGET, EDGE = 20, 24, 6  # heights of a socket, of a widget, and of what is left free, in the classic renderer
WINDOW = (1280, 720)  # pixels of a small browser window
LETTER = 14  # of the editor, in the graph's units


def of_kind(name, kind):
    return [node for node in WORKFLOWS[name]["nodes"] if node["type"] == kind]


def box(node):
    (left, top), (width, height) = node["pos"], node["size"]
    return left, top - TITLE, left + width, top + height


def meet(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_nothing_that_a_template_carries_is_stale(name):
    assert dressed(name, WORKFLOWS[name]) == WORKFLOWS[name], "Run scripts/write_templates.py."


@pytest.mark.parametrize("name", OF_PHOTOS)
def test_what_somebody_took_away_is_written_again(name):
    bare = copy.deepcopy(WORKFLOWS[name])
    bare["groups"] = [group for group in bare["groups"] if group["title"] != "Start here"]
    start = [node for node in bare["nodes"] if node["pos"][0] < 0]
    bare["nodes"] = [node for node in bare["nodes"] if node not in start]
    bare["links"] = [link for link in bare["links"] if link[1] not in [node["id"] for node in start]]
    bare["last_node_id"], bare["last_link_id"] = bare["last_node_id"] - 3, bare["last_link_id"] - 1
    bare["extra"] = {}
    for node in bare["nodes"]:
        node["properties"].pop("models", None)

    assert len(start) == 3
    assert dressed(name, bare) == WORKFLOWS[name]


@pytest.mark.parametrize("name", OF_PHOTOS)
def test_every_loader_names_its_files_with_the_addresses_of_the_list(name):
    register_model_folders()
    listed = {(file.address, file.folder) for file in FILES}
    loaders = [node for node in WORKFLOWS[name]["nodes"] if node["type"] in FOLDERS]

    assert loaders
    for node in loaders:
        models = node["properties"]["models"]
        # The editor passes over an entry whose name no widget holds.
        assert [model["name"] for model in models] == node["widgets_values"][: NAMES.get(node["type"], 1)]
        for model in models:
            assert (model["url"], model["directory"]) in listed
            assert model["directory"] in folder_paths.folder_names_and_paths


@pytest.mark.parametrize("name", OF_PHOTOS)
def test_the_note_names_every_file_every_photo_and_where_each_goes(name):
    (note,) = [node for node in of_kind(name, "MarkdownNote") if node["title"] == START]
    text = note["widgets_values"][0]
    packs = [node["widgets_values"][0] for node in of_kind(name, "Troupe_LoadFaceEngine")]
    named = [model["name"] for node in WORKFLOWS[name]["nodes"] for model in node["properties"].get("models", ())]

    for wanted in (*NEEDS.get(name, ()), *packs, *named):
        (line,) = [line for line in text.splitlines() if f"[{wanted}](https://" in line]
        assert " in `" in line
    for photo in of_kind(name, "LoadImage"):
        assert f"*{photo['title']}*" in text


@pytest.mark.parametrize("name", OF_PHOTOS)
def test_the_doctor_is_shown_on_every_run(name):
    (doctor,) = of_kind(name, "Troupe_Doctor")
    (link,) = [link for link in WORKFLOWS[name]["links"] if link[1] == doctor["id"]]
    (shown,) = [node for node in of_kind(name, "PreviewAny") if node["id"] == link[3]]

    assert (doctor["outputs"][0]["links"], shown["inputs"][0]["link"]) == ([link[0]], link[0])
    assert (doctor["mode"], shown["mode"]) == (0, 0)


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_every_group_says_in_a_note_of_its_own_what_it_is_for(name):
    notes = {node["title"]: node for node in of_kind(name, "MarkdownNote")}

    assert sorted(notes) == sorted(group["title"] for group in WORKFLOWS[name]["groups"])
    for group in WORKFLOWS[name]["groups"]:
        left, top, width, height = group["bounding"]
        x, y = notes[group["title"]]["pos"]
        assert left < x < left + width
        assert top < y < top + height
        assert notes[group["title"]]["widgets_values"][0]


def test_templates_are_numbered_in_the_order_in_which_they_are_met():
    assert [name[:3] for name in sorted(WORKFLOWS)] == [f"{number:02d} " for number in range(1, len(WORKFLOWS) + 1)]
    assert all(2 < len(name.split()) <= 7 for name in WORKFLOWS)
    # What a file may be called on every system, and what stands in an address as it is written.
    assert all(set(name) <= set(string.ascii_letters + string.digits + " ,.-") for name in WORKFLOWS)


@pytest.mark.parametrize("name", [name for name in OF_PHOTOS if of_kind(name, "Troupe_ApplyCast")])
def test_own_photos_begin_at_the_default_recipe_and_strength(name):
    (apply,) = of_kind(name, "Troupe_ApplyCast")
    assert apply["widgets_values"][:2] == ["Troupe", 1.0]


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_nodes_and_groups_do_not_overlap_and_every_node_lies_in_one_group(name):
    nodes = {node["id"]: box(node) for node in WORKFLOWS[name]["nodes"]}
    edges = [group["bounding"] for group in WORKFLOWS[name]["groups"]]
    groups = [(left, top, left + width, top + height) for left, top, width, height in edges]

    assert len(nodes) == len(WORKFLOWS[name]["nodes"])
    assert [pair for pair in combinations(nodes, 2) if meet(nodes[pair[0]], nodes[pair[1]])] == []
    assert [pair for pair in combinations(groups, 2) if meet(*pair)] == []
    for number, (left, top, right, bottom) in nodes.items():
        around = [g for g in groups if g[0] <= left and g[1] <= top and right <= g[2] and bottom <= g[3]]
        assert len(around) == 1, number


def least_height(schema):
    """What a node's sockets and widgets take at least; the editor draws a node higher than its file says."""
    widgets = sum(isinstance(socket, io.WidgetInput) and not socket.force_input for socket in schema.inputs)
    return ROW * max(len(schema.inputs) - widgets, len(schema.outputs)) + WIDGET * widgets + EDGE


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_every_node_is_saved_as_high_as_it_is_drawn(name):
    least = {node.GET_SCHEMA().node_id: least_height(node.GET_SCHEMA()) for node in NODES}

    for node in WORKFLOWS[name]["nodes"]:
        assert node["size"][1] >= least.get(node["type"], 0), (node["id"], node["type"])


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_the_saved_view_shows_the_first_nodes_large_enough_to_read(name):
    view = WORKFLOWS[name]["extra"]["ds"]
    first = min(WORKFLOWS[name]["nodes"], key=lambda node: (node["pos"][0], node["pos"][1]))
    left, top, right, _ = ((edge + view["offset"][place % 2]) * view["scale"] for place, edge in enumerate(box(first)))

    assert view["scale"] == SCALE
    assert view["scale"] * LETTER >= 11
    assert 0 < left < right < WINDOW[0]
    assert 0 < top < WINDOW[1] / 2
