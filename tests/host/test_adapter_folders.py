"""Adapters in the folders of all packs: listed once, found, and told apart by the doctor where names clash."""

import logging

import folder_paths
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.host import model_folders
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.doctor.doctor import is_trouble
from pack.nodes.host.doctor.doctor_files import adapter_lines
from pack.nodes.host.model_files import published
from pack.tests.host.tiny_models import ADA, EVERYWHERE, adapter_state, apply, sample
from safetensors.torch import save_file


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders of the test's own, by the name of their kind."""
    made = {}
    for kind in model_folders.ADAPTER_FOLDERS:
        made[kind] = tmp_path / kind
        made[kind].mkdir()
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, ([str(made[kind])], set()))
        folder_paths.filename_list_cache.pop(kind, None)
    monkeypatch.setattr(model_folders, "register_model_folders", lambda: None)
    yield made
    for kind in made:
        folder_paths.filename_list_cache.pop(kind, None)


def test_every_packs_folder_is_known():
    model_folders.register_model_folders()

    for kind in ("ipadapter", "instantid", "pulid"):
        assert folder_paths.get_folder_paths(kind)[0].endswith(kind)


def test_files_of_every_packs_folder_are_listed_and_found_by_loader_and_doctor(folders):
    for kind, folder in folders.items():
        save_file(adapter_state(), folder / f"of-{kind}.safetensors")

    names = [f"of-{kind}.safetensors" for kind in sorted(folders)]
    assert model_folders.adapter_files() == names
    for name, line in zip(names, adapter_lines(), strict=True):
        path = model_folders.adapter_path(name)
        assert path.is_file()
        assert line.startswith(f"{name}: faceid")
        assert f"[{path}]" in line


def test_a_file_of_another_folder_or_name_is_taken_where_it_is_the_only_one(folders):
    (folders["instantid"] / "SDXL").mkdir()
    save_file(adapter_state(), folders["instantid"] / "SDXL" / "Mine.safetensors")
    save_file(adapter_state(), folders["pulid"] / "instantid-ip-adapter.bin")

    assert model_folders.adapter_path("sdxl\\mine.safetensors").name == "Mine.safetensors"
    assert model_folders.adapter_path("ip-adapter.bin").name == "instantid-ip-adapter.bin"
    assert LoadAdapter.validate_inputs("other/mine.safetensors") is True

    (folders["ipadapter"] / "sd15").mkdir()
    save_file(adapter_state(), folders["ipadapter"] / "sd15" / "mine.safetensors")
    folder_paths.filename_list_cache.clear()
    assert model_folders.adapter_path("SDXL/Mine.safetensors").name == "Mine.safetensors"
    with pytest.raises(ValueError, match="no adapter file named 'mine.safetensors'"):
        model_folders.adapter_path("mine.safetensors")


def test_a_missing_file_is_told_with_folders_what_they_hold_and_where_to_get_it(folders):
    save_file(adapter_state(), folders["ipadapter"] / "there.safetensors")

    said = LoadAdapter.validate_inputs("pulid_v1.1.safetensors")

    for part in (*map(str, folders.values()), "they hold: there.safetensors", "models/pulid", "press R"):
        assert part in said
    assert published("pulid_v1.1.safetensors").address in said


def test_a_name_in_two_folders_is_the_first_ones_and_the_doctor_says_so(folders):
    for kind in ("pulid", "instantid"):
        save_file(adapter_state(), folders[kind] / "ip-adapter.safetensors")

    first, second = adapter_lines()

    assert model_folders.adapter_path("ip-adapter.safetensors") == folders["instantid"] / "ip-adapter.safetensors"
    assert not is_trouble(first)
    assert second.startswith(f"{folders['pulid'] / 'ip-adapter.safetensors'}: ! is hidden")
    assert is_trouble(second)


def test_what_a_trainer_left_in_a_file_is_one_line_in_the_log_and_changes_no_picture(model, tmp_path, caplog):
    save_file(adapter_state(), tmp_path / "clean.safetensors")
    left = {"lora_ema.0.to_q_lora.down.weight": torch.zeros(2, 2), "optimizer.step": torch.tensor(4)}
    save_file(adapter_state() | left, tmp_path / "trained.safetensors")

    with caplog.at_level(logging.INFO):
        clean, trained = (load_adapter(tmp_path / f"{n}.safetensors", n) for n in ("clean", "trained"))

    (said,) = [record.message for record in caplog.records if "passed over" in record.message]
    assert said.startswith("Troupe: trained: Read as faceid")
    assert "The file also holds lora_ema, optimizer, which" in said
    pictures = [sample(apply(model, [Member(ADA, EVERYWHERE)], adapter), steps=1) for adapter in (clean, trained)]
    assert torch.equal(*pictures)
