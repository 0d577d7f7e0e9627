"""The list of published model files: every address has a source, every workflow's files are in it, README shows it."""

import json

import pytest
from pack.nodes.host.doctor.doctor_workflows import FOLDERS
from pack.nodes.host.model_files import (
    FILES,
    everyday_table,
    known_names,
    last_part,
    published,
    where_to_get,
    whole_table,
)
from pack.scripts.bootstrap.places import ROOT

DEMO = "troupe-demo"


def test_every_file_has_an_address_and_says_where_it_was_read():
    for file in FILES:
        assert file.address.startswith("https://"), file
        assert "?" not in file.address
        assert all((file.source, file.folder, file.purpose, file.licence)), file


def test_no_two_files_share_a_name():
    names = [name for file in FILES for name in known_names(file)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.json")), ids=lambda path: path.stem)
def test_every_model_file_of_a_workflow_has_a_link(path):
    for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
        if node["type"] in FOLDERS or node["type"] == "Troupe_LoadFaceEngine":
            name = node["widgets_values"][0]
            file = published(name)
            assert name.startswith(DEMO) or (file and last_part(file.name) == last_part(name)), name


def test_a_file_is_known_whatever_folder_and_capitals_a_workflow_gives_it():
    assert published("SDXL\\IP-Adapter.bin") is published("ip-adapter.bin")
    assert published("nobody-knows.bin") is None
    assert where_to_get("nobody-knows.bin") == ""
    assert "to be unpacked there as antelopev2" in where_to_get("antelopev2")
    assert "to be renamed to CLIP-ViT-H" in where_to_get("clip_vision_h.safetensors").replace(
        "clip-vit-h", "CLIP-ViT-H"
    )


@pytest.mark.parametrize(("page", "table"), [("README.md", everyday_table()), ("docs/model-files.md", whole_table())])
def test_the_pages_show_the_list(page, table):
    assert table in (ROOT / page).read_text(encoding="utf-8"), f"Put this into {page}:\n{table}"
