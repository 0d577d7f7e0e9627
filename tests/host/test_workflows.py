"""The workflows that ship, run by a real server from start to PNG, and what happens when their inputs are bad."""

import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.real_server import FailedPrompt
from PIL import Image

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
# Those that need no download; test_checkpoint_workflows.py and test_joint_workflows.py run the others.
LOADERS = ("CheckpointLoaderSimple", "UNETLoader")
OF_THE_DEMO = [path for path in WORKFLOWS if not any(name in path.read_text(encoding="utf-8") for name in LOADERS)]
TWO_PEOPLE = ROOT / "workflows" / "10 Two people, wired by hand.json"


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def nodes_of(prompt: dict, kind: str) -> list[str]:
    return [number for number, node in prompt.items() if node["class_type"] == kind]


@pytest.fixture
def prompt(server):
    """The two-people workflow as an API prompt, to be spoilt."""
    return server.to_api(read(TWO_PEOPLE))


@pytest.mark.parametrize("path", OF_THE_DEMO, ids=lambda path: path.stem)
def test_every_workflow_draws_its_picture(server, path):
    workflow = read(path)
    prompt = server.to_api(workflow)
    entry = server.post_prompt(prompt, workflow)

    for number in nodes_of(prompt, "SaveImage"):
        for file in server.images(entry, number):
            picture = Image.open(io.BytesIO(file))
            assert np.asarray(picture).std() > 20
            assert json.loads(picture.info["workflow"])["nodes"] == workflow["nodes"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_has_a_thumbnail(path):
    with Image.open(path.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.width >= 256


def test_two_known_people_stand_where_they_should(server, prompt):
    entry = server.post_prompt(prompt)
    scores = json.loads(entry["outputs"][nodes_of(prompt, "Troupe_ScoreCast")[0]]["text"][0])

    assert scores["images"][0]["count"] == 2
    assert scores["right_place"] == 1
    assert scores["own"] > scores["other"] + 0.2


def test_three_people_stand_where_the_depth_layout_puts_them(server):
    prompt = server.to_api(read(ROOT / "workflows" / "11 Three people in depth.json"))
    entry = server.post_prompt(prompt)
    scores = json.loads(entry["outputs"][nodes_of(prompt, "Troupe_ScoreCast")[0]]["text"][0])

    assert scores["images"][0]["count"] == 3
    assert scores["right_place"] == 1


def test_people_come_into_a_picture_which_stays_as_it_is_around_them(server):
    prompt = server.to_api(read(ROOT / "workflows" / "19 Into a picture, runs at once.json"))
    entry = server.post_prompt(prompt)
    scores = json.loads(entry["outputs"][nodes_of(prompt, "Troupe_ScoreCast")[0]]["text"][0])
    (regions,) = nodes_of(prompt, "Troupe_RegionsFromFaces")
    (first,) = [prompt[regions]["inputs"]["image"]]
    (preview,) = [n for n in nodes_of(prompt, "PreviewImage") if prompt[n]["inputs"]["images"] == first]
    before, after = (
        np.asarray(Image.open(io.BytesIO(server.images(entry, number)[0])).convert("RGB"), np.float32)
        for number in (preview, nodes_of(prompt, "SaveImage")[0])
    )
    change = np.abs(after - before).mean(-1)

    assert scores["right_place"] == 1
    assert scores["own"] > scores["other"] + 0.3
    assert change[112:].mean() < 3  # shirts, below both heads
    assert change[30:80].mean() > 10


def test_a_second_pass_makes_five_people_more_like_themselves(server):
    prompt = server.to_api(read(ROOT / "workflows" / "12 Five people, second pass.json"))
    entry = server.post_prompt(prompt)
    first, second = (json.loads(entry["outputs"][node]["text"][0]) for node in nodes_of(prompt, "Troupe_ScoreCast"))
    (refined,) = nodes_of(prompt, "Troupe_RefineCast")
    (close_ups,) = [n for n in nodes_of(prompt, "PreviewImage") if prompt[n]["inputs"]["images"] == [refined, 1]]

    assert second["own"] > first["own"] + 0.15
    assert second["right_place"] >= first["right_place"]
    assert len(server.images(entry, close_ups)) >= 4


def test_each_recipe_of_a_list_has_its_picture_on_one_sheet(server):
    prompt = server.to_api(read(ROOT / "workflows" / "14 Recipes side by side.json"))
    prompt[nodes_of(prompt, "Troupe_CompareRecipes")[0]]["inputs"]["recipes"] = "unpatched\ndecoupled"
    entry = server.post_prompt(prompt)
    unpatched, decoupled = entry["outputs"][nodes_of(prompt, "Troupe_ScoreCast")[0]]["text"]
    (sheet,) = server.images(entry, nodes_of(prompt, "SaveImage")[0])

    assert json.loads(decoupled)["own"] > json.loads(unpatched)["own"] + 0.2
    assert Image.open(io.BytesIO(sheet)).width > 2 * 256


def test_a_region_that_does_not_exist_lists_those_that_do(server, prompt):
    prompt[nodes_of(prompt, "Troupe_CastMember")[0]]["inputs"]["region"] = "middle"

    with pytest.raises(FailedPrompt, match=r"'middle'.*left.*right"):
        server.post_prompt(prompt)
    assert server.alive()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("other.safetensors", "other.safetensors.*cannot be used"),
        ("cut.safetensors", "cut.safetensors.*cut off"),
        ("code.bin", "code.bin.*holds code"),
    ],
)
def test_a_file_that_is_no_adapter_is_one_sentence_that_names_it(server, prompt, file, sentence):
    prompt[nodes_of(prompt, "Troupe_LoadAdapter")[0]]["inputs"]["file"] = file

    with pytest.raises(FailedPrompt, match=sentence):
        server.post_prompt(prompt)
    assert server.alive()
    assert not (server.base / "models" / "ipadapter" / "the-code-ran").exists()


def load_image_instead(server, prompt: dict, name: str, content: bytes) -> dict:
    """The prompt with a file of the input folder in place of the first photo."""
    (server.base / "input" / name).write_bytes(content)
    spoilt = copy.deepcopy(prompt)
    spoilt[nodes_of(prompt, "Troupe_DemoPhoto")[0]] = {"class_type": "LoadImage", "inputs": {"image": name}}
    return spoilt


def grey_png() -> bytes:
    whole = io.BytesIO()
    Image.new("RGB", (256, 256), "grey").save(whole, "PNG", compress_level=0)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("name", "kept", "sentence"),
    [
        ("header.png", 20, "LoadImage.*[Tt]runcated"),  # ComfyUI's own node refuses it
        ("half.png", 90_000, "photo of .Ada. comes from a damaged file"),  # and fills the rest of this one with black
        ("whole.png", None, "No face was found in the photo of .Ada"),
    ],
)
def test_a_bad_photo_is_one_sentence_and_the_server_lives_on(server, prompt, name, kept, sentence):
    with pytest.raises(FailedPrompt, match=sentence):
        server.post_prompt(load_image_instead(server, prompt, name, grey_png()[:kept]))
    assert server.alive()
    assert server.post_prompt(prompt)["status"]["completed"]
