"""Every node and input has its text in every language, none is stale, and the real server serves them."""

import json
import re

import pytest
from pack.nodes import NODES
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.showing.locales import ENGLISH, LOCALES, english, faults, paths_of, read

LANGUAGES = ("de", "fr", "ja", "zh", "zh-TW")
# vue-i18n reads these as links, values and plurals; the editor's older front ends stumble over them.
SIGNS_WITH_A_MEANING = re.compile(r"[@{}|]")
REMEDY = "Run scripts/write_locales.py, then translate what git diff locales shows."


@pytest.fixture(scope="module")
def wanted():
    """The texts that the schemas hold."""
    return english({node.GET_SCHEMA().node_id: node.GET_NODE_INFO_V1() for node in NODES})


def text_at(texts, place):
    for key in place.split("/"):
        texts = texts[key]
    return texts


def test_the_languages_are_those_of_the_canvas():
    canvas = {file.stem for file in (ROOT / "web" / "regions" / "words").iterdir()}
    assert canvas == {folder.name for folder in LOCALES.iterdir()} == {ENGLISH, *LANGUAGES}


def test_the_english_texts_are_those_of_the_schemas(wanted):
    written = read(ENGLISH)

    assert faults(wanted, written) == [], REMEDY
    changed = [place for place in paths_of(wanted) if text_at(written, place) != text_at(wanted, place)]
    assert changed == [], REMEDY


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text_and_no_stale_one(language, wanted):
    texts = read(language)

    assert faults(wanted, texts) == []
    places = list(paths_of(texts))
    assert [place for place in places if not text_at(texts, place).strip()] == []
    assert [place for place in places if SIGNS_WITH_A_MEANING.search(text_at(texts, place))] == []
    sentences = [place for place in places if place.endswith(("/description", "/tooltip"))]
    assert [place for place in sentences if text_at(texts, place) == text_at(wanted, place)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_inputs_of_one_node_do_not_share_a_name(language):
    for node, texts in read(language).items():
        names = [entry["name"] for entry in texts.get("inputs", {}).values()]
        assert len(names) == len(set(names)), f"{node}: {names}"


def test_planted_faults_are_found():
    texts = {"Troupe_X": {"display_name": "X", "inputs": {"a": {"name": "a", "tooltip": "A."}}}}
    other = {"Troupe_X": {"display_name": "X", "inputs": {"b": {"name": "b"}, "a": {"name": "a"}}}}

    assert faults(texts, other) == ["missing Troupe_X/inputs/a/tooltip", "stale Troupe_X/inputs/b/name"]
    assert faults(texts, texts) == []


def test_the_server_serves_them(server):
    served = json.loads(server.client.get("/i18n"))

    for language in (ENGLISH, *LANGUAGES):
        ours = {node: texts for node, texts in served[language]["nodeDefs"].items() if node.startswith("Troupe_")}
        assert ours == read(language)
