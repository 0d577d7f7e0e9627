"""Files that look alike and are told apart by their content, and what is done where they cannot be."""

import hashlib
from dataclasses import replace

import pytest
from pack.face.pack import content_hash
from pack.nodes.host.adapters import adapter_file as published_files
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.loaded_adapter import AdapterSettings
from pack.nodes.host.faces.recognisers import packs_for, recogniser_for
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.tiny_adapters import ANTELOPE, BUFFALO, tiny_state
from safetensors.torch import save_file

WEIGHTS = ROOT / "demo" / "weights"
DEMO_PACKS = ("troupe-demo", "troupe-demo-scorer")
PACKS = {"instantid": ("antelopev2",), "faceid portrait unnorm": ("buffalo_l",)}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "renamed.safetensors"
    save_file(tiny_state("instantid"), path)
    return path


@pytest.mark.parametrize("kind", PACKS)
def test_a_published_file_is_known_by_its_content(file, monkeypatch, kind):
    content = file.read_bytes()
    monkeypatch.setattr(published_files, "PUBLISHED", {len(content): (hashlib.sha256(content).hexdigest(), kind)})

    adapter = load_adapter(file, file.name)

    assert adapter.spec.kind == kind
    assert f"Read as {kind} " in adapter.report
    assert "because it is the published file, byte for byte" in adapter.report
    assert load_adapter(file, file.name, AdapterSettings(format="instantid")).spec.kind == "instantid"


def test_a_file_of_that_size_with_other_content_stays_undecided(file, monkeypatch):
    monkeypatch.setattr(published_files, "PUBLISHED", {file.stat().st_size: ("0" * 64, "instantid")})

    adapter = load_adapter(file, file.name)

    assert adapter.spec.kind == "faceid portrait unnorm"
    assert "also those of instantid" in adapter.report


def test_the_published_files_are_of_formats_that_cannot_be_told_apart_otherwise():
    assert {kind for _, kind in published_files.PUBLISHED.values()} == set(PACKS)
    assert all(len(digest) == 64 for digest, _ in published_files.PUBLISHED.values())


def test_a_known_file_reads_its_own_pack_and_an_unknown_one_both(file):
    spec = replace(load_adapter(file, file.name).spec, cross_width=2048, layer_widths=(640,) * 70)

    assert packs_for(spec, "auto", undecided=True) == ("buffalo_l", "antelopev2")
    for kind, packs in PACKS.items():
        assert packs_for(replace(spec, kind=kind), "auto", undecided=False) == packs


def test_a_person_of_both_packs_is_refused_where_nothing_decides():
    people = {BUFFALO: [[0.0] * 512], ANTELOPE: [[0.0] * 512]}

    assert recogniser_for(people, 512, ("antelopev2",), "a", "Ada") == ANTELOPE
    with pytest.raises(ValueError, match="'Ada' was described by .* buffalo_l and antelopev2, .*Set 'format'"):
        recogniser_for(people, 512, ("buffalo_l", "antelopev2"), "a", "Ada")


def test_an_adapter_that_names_its_recogniser_refuses_another_packs_people_in_a_sentence():
    path = WEIGHTS / "ipadapter" / "troupe-demo-faceid.safetensors"
    own, other = (content_hash(WEIGHTS / "insightface" / "models" / name / "recogniser.onnx") for name in DEMO_PACKS)
    adapter = load_adapter(path, path.name)

    assert adapter.packs == DEMO_PACKS[:1]
    assert "trained with troupe-demo" in adapter.report
    assert recogniser_for({own: [[0.0] * 512]}, 512, adapter.packs, "a", "Ada") == own
    with pytest.raises(ValueError, match="face pack troupe-demo, and .* that of troupe-demo-scorer; .* a stranger"):
        recogniser_for({other: [[0.0] * 512]}, 512, adapter.packs, "a", "Ada")
    assert load_adapter(path, path.name, AdapterSettings(recogniser="any")).packs == ()
