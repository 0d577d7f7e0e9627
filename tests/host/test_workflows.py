"""The workflows that ship, run by a real server from start to PNG, and what happens when their inputs are bad."""

import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pack.tests.host.conftest import ROOT, FailedPrompt
from PIL import Image

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
TWO_PEOPLE = ROOT / "workflows" / "two-people.json"


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def nodes_of(prompt: dict, kind: str) -> list[str]:
    return [number for number, node in prompt.items() if node["class_type"] == kind]


@pytest.fixture
def prompt(server):
    """The two-people workflow as an API prompt, to be spoilt."""
    return server.to_api(read(TWO_PEOPLE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
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


def test_a_picture_file_that_was_cut_off_is_an_error_and_the_server_lives_on(server, prompt):
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(whole, "PNG")
    (server.base / "input" / "cut.png").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    spoilt = copy.deepcopy(prompt)
    spoilt[nodes_of(prompt, "Troupe_DemoPhoto")[0]] = {"class_type": "LoadImage", "inputs": {"image": "cut.png"}}

    with pytest.raises(FailedPrompt, match="LoadImage"):
        server.post_prompt(spoilt)
    assert server.alive()
    assert server.post_prompt(prompt)["status"]["completed"]
