"""A workflow saved on Windows names files with the other sign between folders; every list of files takes both."""

import shutil
import uuid

import numpy as np
import pytest
from pack.face.identity import Identity
from pack.face.identity_file import save_identity
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.faces.face_nodes import LoadFaceEngine
from pack.nodes.faces.identity_nodes import LoadIdentity
from pack.nodes.host.file_names import full_path, listed
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.hosting.client import PromptRefused

ADAPTER = "troupe-demo-faceid.safetensors"


@pytest.fixture(scope="module")
def filed(server):
    """An adapter and an identity in folders of their own; how a workflow from Windows names them."""
    models = server.base / "models"
    (models / "ipadapter" / "sd15").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "demo" / "weights" / "ipadapter" / ADAPTER, models / "ipadapter" / "sd15" / ADAPTER)
    crops, points, boxes = np.zeros((1, 112, 112, 3), np.uint8), np.zeros((1, 5, 2), np.float32), np.zeros((1, 4))
    ada = Identity("Ada", {"r": np.ones((1, 4), np.float32)}, crops, points, boxes.astype(np.float32))
    (models / "identities" / "family").mkdir(parents=True, exist_ok=True)
    save_identity(models / "identities" / "family" / "Ada.safetensors", ada)
    return {"Troupe_LoadAdapter": rf"sd15\{ADAPTER}", "Troupe_LoadIdentity": r"family\Ada.safetensors"}


def prompt_of(kind, file):
    """A prompt that loads a file and shows what came out; never the same one twice."""
    inputs = {"file": file} | ({"format": "auto"} if kind == "Troupe_LoadAdapter" else {})
    end = "PreviewAny" if kind == "Troupe_LoadAdapter" else "PreviewImage"
    sink = {"source": ["1", 1]} if end == "PreviewAny" else {"images": ["1", 1]}
    title = {"_meta": {"title": uuid.uuid4().hex}}
    return {"1": {"class_type": kind, "inputs": inputs, **title}, "2": {"class_type": end, "inputs": sink}}


@pytest.mark.parametrize("kind", ["Troupe_LoadAdapter", "Troupe_LoadIdentity"])
def test_a_file_is_found_by_either_sign(server, filed, kind):
    for name in (filed[kind], filed[kind].replace("\\", "/")):
        entry = server.post_prompt(prompt_of(kind, name))
        assert entry["outputs"]["2"]


@pytest.mark.parametrize("kind", ["Troupe_LoadAdapter", "Troupe_LoadIdentity"])
def test_a_file_that_is_not_there_is_told_at_its_input(server, filed, kind):
    with pytest.raises(PromptRefused) as refused:
        server.post_prompt(prompt_of(kind, r"sd15\gone.safetensors"))

    (error,) = refused.value.answer["node_errors"]["1"]["errors"]
    assert error["extra_info"]["input_name"] == "file"
    assert r"sd15\gone.safetensors" in error["details"]
    assert "press R" in error["details"]


def test_a_linked_name_and_one_of_the_list_are_taken():
    names = ["a.bin", "b/c.bin", "d\\e.bin"]

    for name in (None, "a.bin", "b/c.bin", "b\\c.bin", "d/e.bin"):
        assert listed(name, names, "file", "") is True
    assert listed("c.bin", names, "file", "Put it there.") == "there is no file 'c.bin' in the list. Put it there."


@pytest.mark.parametrize("name", [None, 5, [], {}])
@pytest.mark.parametrize(
    "load",
    [
        lambda name: LoadAdapter.execute(name, "auto"),
        LoadIdentity.execute,
        lambda name: LoadFaceEngine.execute(name, "CPU"),
    ],
    ids=["adapter", "identity", "pack"],
)
def test_what_is_no_name_is_told_in_a_sentence(load, name):
    """ComfyUI's validation sees None for a linked name as well, so null reaches the node."""
    with pytest.raises(ValueError, match="Troupe"):
        load(name)
    assert LoadIdentity.fingerprint_inputs(name) == ""
    assert listed(name, ["a.bin"], "file", "") in (True, f"there is no file '{name}' in the list. ")


def test_the_name_as_it_stands_goes_first(tmp_path, monkeypatch):
    import folder_paths

    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.bin").write_text("")
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "troupe_trial", ([str(tmp_path)], {".bin"}))

    assert (
        full_path("troupe_trial", "b\\c.bin") == full_path("troupe_trial", "b/c.bin") == str(tmp_path / "b" / "c.bin")
    )
    assert full_path("troupe_trial", "gone.bin") is None
