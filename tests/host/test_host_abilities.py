"""What an older ComfyUI lacks is said in one sentence when the pack loads, and nothing where nothing is lacking."""

import importlib.util

import pytest
from pack.nodes import Troupe
from pack.nodes.host import host_abilities
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.finished import finished


def test_this_comfyui_lacks_nothing(caplog):
    finished(Troupe().on_load())

    assert host_abilities.lacking() is None
    assert caplog.messages == []


def test_an_older_one_is_told_in_one_sentence(monkeypatch, caplog):
    monkeypatch.setattr(host_abilities, "DETECTORS", "comfy_extras.nodes_of_the_future")

    finished(Troupe().on_load())

    (sentence,) = caplog.messages
    assert sentence.startswith("Troupe: this ComfyUI (0.")
    assert "Score Cast's input 'people'" in sentence


def test_a_pack_that_cannot_be_imported_says_what_it_needs(monkeypatch):
    import pack.nodes as nodes

    spec = importlib.util.spec_from_file_location("pack.entry", ROOT / "__init__.py")
    entry = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    monkeypatch.delattr(nodes, "Troupe")

    with pytest.raises(ImportError, match="Troupe cannot be loaded: .*It needs ComfyUI 0.16.3 or newer, and the pack"):
        finished(entry.comfy_entrypoint())
    assert f'requires-comfyui = ">={entry.OLDEST_COMFYUI}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
