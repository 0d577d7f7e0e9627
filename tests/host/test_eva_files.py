"""EVA02-CLIP in ComfyUI's folders: found by its keys, shared, and every lack of it told in a sentence."""

import gc
import json
import pickle

import folder_paths
import pytest
import torch
from pack.nodes.host.adapters.eva_files import eva_files, holds_eva
from pack.nodes.host.doctor.doctor import is_trouble
from pack.nodes.host.doctor.doctor_files import adapter_lines, encoder_lines
from pack.nodes.host.doctor.doctor_workflows import missing_files
from pack.nodes.host.model_files import published
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.bad_adapters import Touch
from pack.tests.host.tiny_adapters import tiny_vision
from pack.tests.host.tiny_pulid import KINDS, VECTOR, WIDTH, empty_vision_folders, eva_state, pulid_state, tiny_pulid
from safetensors.torch import save_file


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Empty folders by name, and one for adapters."""
    (tmp_path / "ipadapter").mkdir()
    return {**empty_vision_folders(tmp_path, monkeypatch), "ipadapter": tmp_path / "ipadapter"}


@pytest.mark.parametrize("folder", ["clip_vision", "clip"])
@pytest.mark.parametrize("name", ["EVA02_CLIP_L_336_psz14_s6B.pt", "renamed.bin", "converted.safetensors"])
def test_it_is_found_by_its_keys_in_both_folders(folders, folder, name):
    path = folders[folder] / name
    save_file(eva_state(), path) if path.suffix == ".safetensors" else torch.save(eva_state(), path)
    torch.save({"text.weight": torch.zeros(2)}, folders[folder] / "another.pt")
    save_file({"visual.conv1.weight": torch.zeros(2)}, folders[folder] / "another.safetensors")

    adapter = tiny_pulid("pulid", folders["ipadapter"])

    assert list(eva_files()) == [name]
    assert adapter.vision.name == name
    assert "reads face embeddings of antelopev2 and a file of EVA02-CLIP-L-14-336" in adapter.report


def test_the_one_that_another_pack_fetched_is_found_in_hugging_faces_cache(folders):
    """Its layout: a snapshot's file is a link to a blob, of which an interrupted download leaves only the link."""
    home = folders["hub"] / "models--QuanSun--EVA-CLIP"
    (home / "blobs").mkdir(parents=True)
    for snapshot in ("0", "1"):
        (home / "snapshots" / snapshot).mkdir(parents=True)
        (home / "snapshots" / snapshot / "EVA02_CLIP_L_336_psz14_s6B.pt").symlink_to(home / "blobs" / snapshot)
    torch.save(eva_state(), home / "blobs" / "1")

    adapter = tiny_pulid("pulid", folders["ipadapter"])

    assert adapter.vision.name == "EVA02_CLIP_L_336_psz14_s6B.pt"
    assert list(eva_files().values()) == [home / "snapshots" / "1" / "EVA02_CLIP_L_336_psz14_s6B.pt"]


def test_a_broken_file_does_not_keep_a_sound_one_from_being_used(folders, caplog):
    weights = eva_state()
    save_file(weights, folders["clip_vision"] / "b.safetensors")
    whole = (folders["clip_vision"] / "b.safetensors").read_bytes()
    (folders["clip_vision"] / "a.safetensors").write_bytes(whole[:-100])

    assert tiny_pulid("pulid", folders["ipadapter"]).vision.name == "b.safetensors"
    assert "'a.safetensors' cannot be read" in caplog.text


def test_what_is_no_eva_is_neither_loaded_nor_run(tmp_path):
    (tmp_path / "code.pt").write_bytes(pickle.dumps({"visual.blocks": Touch(tmp_path / "the-code-ran")}))
    torch.save({"visual.blocks.0.attn.inner_attn_ln.weight": Touch(tmp_path / "the-code-ran")}, tmp_path / "torch.pt")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")

    assert [holds_eva(tmp_path / name) for name in ("code.pt", "torch.pt", "cut.safetensors", "gone.pt")] == [
        False, True, False, False,
    ]  # fmt: skip
    assert not (tmp_path / "the-code-ran").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_without_one_the_file_and_its_folders_are_named(folders, kind):
    with pytest.raises(ValueError, match=f"with {WIDTH} numbers per feature and {VECTOR} in its vector") as caught:
        tiny_pulid(kind, folders["ipadapter"])
    assert "(found: none)" in str(caught.value)
    assert "EVA02_CLIP_L_336_psz14_s6B.pt" in str(caught.value)
    assert "models/clip_vision, models/clip or Hugging Face's cache" in str(caught.value)
    assert published("EVA02_CLIP_L_336_psz14_s6B.pt").address in str(caught.value)


def test_one_of_other_sizes_is_named_with_its_own(folders):
    save_file(eva_state(width=128), folders["clip"] / "wide.safetensors")

    with pytest.raises(ValueError, match=r"found: wide.safetensors with 128 and 16"):
        tiny_pulid("pulid", folders["ipadapter"])


@pytest.mark.parametrize("damage", ["code", "a key"])
def test_a_damaged_one_is_named_and_its_code_is_not_run(folders, tmp_path, damage):
    state = eva_state()
    if damage == "code":
        state["extra"] = Touch(tmp_path / "the-code-ran")
    else:
        del state["visual.blocks.7.norm1.bias"]
    torch.save(state, folders["clip"] / "eva.pt")

    with pytest.raises(ValueError, match=r"Troupe: the file 'eva.pt' cannot be") as caught:
        tiny_pulid("pulid", folders["ipadapter"])
    assert not (tmp_path / "the-code-ran").exists()
    assert "ownload" in str(caught.value)


def test_a_clip_vision_that_is_connected_is_refused(folders):
    with pytest.raises(ValueError, match="Leave 'clip_vision' empty"):
        tiny_pulid("pulid", folders["ipadapter"], vision=tiny_vision())


def test_adapters_share_one_encoder_which_goes_with_the_last_of_them(folders):
    torch.save(eva_state(), folders["clip"] / "eva.pt")

    one, two = (tiny_pulid(kind, folders["ipadapter"], method="style") for kind in KINDS)
    assert one.vision is two.vision
    known = id(one.vision)
    torch.save(eva_state(seed=9), folders["clip"] / "eva.pt")
    other = tiny_pulid("pulid", folders["ipadapter"])

    assert id(other.vision) != known
    del one, two
    gc.collect()
    assert not torch.equal(other.vision.model.cls_token, eva_state()["visual.cls_token"])


@pytest.mark.parametrize("kind", ["pulid v1.1", "pulid flux"])
def test_the_doctor_knows_both_files_and_says_when_one_is_missing(folders, monkeypatch, kind):
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "ipadapter", ([str(folders["ipadapter"])], set()))
    monkeypatch.setattr("pack.nodes.host.model_folders.register_model_folders", lambda: None)
    torch.save(pulid_state(kind), folders["ipadapter"] / "pulid.bin")

    (alone,) = [line for line in adapter_lines() if line.startswith("pulid.bin")]
    torch.save(eva_state(), folders["clip"] / "eva.pt")
    folder_paths.filename_list_cache.clear()
    (both,) = [line for line in adapter_lines() if line.startswith("pulid.bin")]

    assert is_trouble(alone)
    assert "needs EVA02_CLIP_L_336_psz14_s6B.pt in models/clip_vision, models/clip or Hugging Face's cache" in alone
    assert not is_trouble(both)
    assert f"{kind}, " in both
    assert [line for line in encoder_lines() if line.startswith("eva.pt: EVA02-CLIP, for PuLID")]


@pytest.mark.parametrize("name", ["05 Your photos, SDXL with PuLID", "17 Your photos, FLUX.1 with PuLID"])
def test_the_doctor_names_the_encoder_that_a_workflow_needs(folders, name):
    workflow = json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    encoder = f"EVA02_CLIP_L_336_psz14_s6B.pt in {folders['clip_vision']}"

    assert any(line.startswith(encoder) for line in missing_files(workflow))
    torch.save(eva_state(), folders["clip"] / "eva.pt")
    folder_paths.filename_list_cache.clear()
    assert not any(line.startswith(encoder) for line in missing_files(workflow))


@pytest.mark.parametrize("kind", KINDS)
def test_converted_files_are_the_same_adapter(folders, kind):
    torch.save(eva_state(), folders["clip"] / "eva.pt")

    original, converted = (tiny_pulid(kind, folders["ipadapter"], original=flag) for flag in (True, False))

    assert original.spec == converted.spec
    states = (adapter.module.state_dict() for adapter in (original, converted))
    assert all(torch.equal(*pair) for pair in zip(*(state.values() for state in states), strict=True))
