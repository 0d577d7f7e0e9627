"""The blueprints that the host finds in the pack: one node each, whole, and inside of it the template's short way."""

import json
from itertools import pairwise

import pytest
from pack.demo.people_by_name import NAMES
from pack.nodes import NODES
from pack.nodes.board.board_value import decode_board
from pack.scripts.bootstrap.places import ROOT

BLUEPRINTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "subgraphs").glob("*.json")}
SCHEMAS = {node.GET_SCHEMA().node_id: node.GET_SCHEMA() for node in NODES}
PEOPLE = {"Two people": 2, "A group": 4}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_blueprint_is_one_node_whose_parts_are_ours_and_wired(name):
    whole = BLUEPRINTS[name]
    (definition,) = whole["definitions"]["subgraphs"]
    (host,) = whole["nodes"]
    nodes = {node["id"]: node for node in definition["nodes"]}

    assert host["type"] == definition["id"]
    assert (definition["name"], definition["category"]) == (name, "Troupe")
    assert [socket["name"] for socket in host["inputs"]] == [socket["name"] for socket in definition["inputs"]]
    assert [socket["name"] for socket in host["outputs"]] == [socket["name"] for socket in definition["outputs"]]
    for node in nodes.values():
        schema = SCHEMAS[node["type"]]
        assert {socket["name"] for socket in node["inputs"]} == {socket.id for socket in schema.inputs}
        assert [socket["name"] for socket in node["outputs"]] == [socket.display_name for socket in schema.outputs]
    for link in definition["links"]:
        if link["target_id"] > 0:
            assert nodes[link["target_id"]]["inputs"][link["target_slot"]]["link"] == link["id"]
        if link["origin_id"] > 0:
            assert link["id"] in nodes[link["origin_id"]]["outputs"][link["origin_slot"]]["links"]
        else:
            assert definition["inputs"][link["origin_slot"]]["linkIds"] == [link["id"]]


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_its_board_has_empty_places_beside_each_other(name):
    (text,) = [value for value in BLUEPRINTS[name]["nodes"][0]["widgets_values"] if isinstance(value, str)]
    people = decode_board(text)

    assert len(people) == PEOPLE[name]
    assert not any(person.photos for person in people)
    for one, other in pairwise(people):
        assert one.region.x + one.region.width <= other.region.x


def test_the_server_offers_them_by_name(server):
    offered = server.client.get_json("/global_subgraphs")
    ours = {entry["name"] for entry in offered.values() if "Troupe" in entry["info"]["node_pack"]}

    assert ours == set(BLUEPRINTS) == set(PEOPLE)


def test_a_face_with_the_demos_people_runs_as_the_first_template_does(server):
    template = json.loads((ROOT / "workflows" / "01 Two people, runs at once.json").read_text(encoding="utf-8"))
    prompt = server.to_api(template)
    (board,) = [n for n, node in prompt.items() if node["class_type"] == "Troupe_CastBoard"]
    (apply,) = [n for n, node in prompt.items() if node["class_type"] == "Troupe_ApplyCast"]
    inner = server.to_api(
        in_a_graph(json.loads(json.dumps(BLUEPRINTS["Two people"])), prompt[board]["inputs"]["board"])
    )
    (own_board,) = [n for n, node in inner.items() if node["class_type"] == "Troupe_CastBoard"]
    (own_apply,) = [n for n, node in inner.items() if node["class_type"] == "Troupe_ApplyCast"]

    assert set(NAMES) >= {person.name for person in decode_board(inner[own_board]["inputs"]["board"])}
    for ours, theirs in ((own_board, board), (own_apply, apply)):
        values = {k: v for k, v in inner[ours]["inputs"].items() if not isinstance(v, list)}
        assert values.items() <= prompt[theirs]["inputs"].items()
    assert inner[own_apply]["inputs"]["cast"] == [own_board, 0]
    inner["latent"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}}
    (world,) = [n for n, node in inner.items() if node["class_type"] == "Troupe_LoadDemoWorld"]
    inner["words"] = {"class_type": "CLIPTextEncode", "inputs": {"clip": [world, 1], "text": "two people"}}
    sampling = {"seed": 1, "steps": 1, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}
    words = {"positive": ["words", 0], "negative": ["words", 0], "latent_image": ["latent", 0]}
    inner["sampler"] = {"class_type": "KSampler", "inputs": {"model": [own_apply, 0], **words, **sampling}}
    inner["decode"] = {"class_type": "VAEDecode", "inputs": {"samples": ["sampler", 0], "vae": [world, 2]}}
    inner["saved"] = {"class_type": "SaveImage", "inputs": {"images": ["decode", 0], "filename_prefix": "blueprint"}}
    entry = server.post_prompt(inner)
    assert server.images(entry, "saved")
    assert "troupe-demo-faceid.safetensors" in json.dumps(entry["outputs"][own_apply])


def in_a_graph(blueprint: dict, board: str) -> dict:
    """The blueprint's node behind a demo world, with the demo's people on its board."""
    (host,) = blueprint["nodes"]
    host["id"], host["widgets_values"] = 2, [128, 128, board, 1.0]
    wired = (("model", 0, "MODEL"), ("clip", 1, "CLIP"))
    for number, (name, _, _) in enumerate(wired, 1):
        next(socket for socket in host["inputs"] if socket["name"] == name)["link"] = number
    slots = [socket["name"] for socket in host["inputs"]]
    outputs = [{"name": name, "type": kind, "links": [n]} for n, (name, _, kind) in enumerate(wired, 1)]
    world = {"id": 1, "type": "Troupe_LoadDemoWorld", "pos": [0, 0], "size": [300, 130], "flags": {}, "order": 0}
    world |= {"mode": 0, "inputs": [], "outputs": outputs, "properties": {}, "widgets_values": ["UNet"]}
    blueprint["nodes"] = [world, host]
    blueprint["links"] = [[n, 1, slot, 2, slots.index(name), kind] for n, (name, slot, kind) in enumerate(wired, 1)]
    blueprint["last_node_id"], blueprint["last_link_id"] = 2, 2
    return blueprint
