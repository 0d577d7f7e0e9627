"""The languages use the words of ComfyUI and its users, and what a text names is there under that name."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.scripts.showing.locales import ENGLISH, LOCALES, paths_of, read
from playwright._impl._driver import compute_driver_executable

LANGUAGES = tuple(sorted(folder.name for folder in LOCALES.iterdir() if folder.name != ENGLISH))
SPOKEN_BY_THE_HOST = tuple(language for language in LANGUAGES if language != "de")

# An English word, and what stands for it in each of LANGUAGES; the word itself will do: it may be a value of a list.
TERMS = {
    r"masks?": ("Maske", "masque", "マスク", "遮罩", "遮罩"),
    r"latents?": ("Latent", "latent", "潜在", "Latent", "latent"),
    r"checkpoints?": ("Checkpoint", "checkpoint", "チェックポイント", "Checkpoint", "檢查點"),
    r"embeddings?": ("Embedding", "embedding", "埋め込み", "嵌入", "嵌入"),
    r"tokens?": ("Token", "token", "トークン", "token", "token"),
    r"batch": ("Batch", "lot", "バッチ", "批次", "批次"),
    r"seed": ("Seed", "graine", "シード", "种子", "種子"),
    r"strengths?": ("Stärke", "force", "強度", "强度", "強度"),
    r"key points": ("Keypoint", "points", "キーポイント", "关键点", "關鍵點"),
    r"recognisers?": ("Erkennungsmodell", "modèle de reconnaissance", "認識モデル", "识别器", "辨識器"),
}
# Words for these things that the host's users do not have.
NOT_OUR_WORDS = {
    "de": "Einbettung|Erkenner|Stapel|Vorlage|Tor\\b|Schub|latente|Zwischenspeicher|Startwert|Abtast|bekannte",
    "fr": "plongement|reconnaisseur|jeton|connues|élan\\b",
    "ja": "身元|同一性|知人|画素|重ね絵|配役",
    "zh": "蒙版|图片|潜空间|检查点|姿势|噪声|熟人|权比",
    "zh-TW": "蒙版|圖像|(?<!載入)圖片|潛空間|採樣|加載|數據|視頻|軟件|文件|內存|緩存|默認|質量",
}
SCRIPTS = {"zh": "gb2312", "zh-TW": "big5"}
# Names of settings that are plain words. Others are terms of papers, messages and help pages, and stay in brackets.
EVERYDAY = {
    "Troupe_ApplyCastAdvanced": "model cast strength start end feather layers photos mode threshold adapter "
    "background margin vae",
    "Troupe_LoadAdapter": "file format clip_vision lora_strength crop recogniser noise",
    "Troupe_ExtractIdentity": "engine image name select like place index x y no_face threshold damaged",
}


def text_at(texts, place):
    for key in place.split("/"):
        texts = texts[key]
    return texts


def sentences(language):
    """(place, English, translation) of every description and tooltip."""
    ours, english = read(language), read(ENGLISH)
    for place in paths_of(english):
        if place.endswith(("/description", "/tooltip")):
            yield place, text_at(english, place), text_at(ours, place)


def words_of(language):
    """All texts of a language, the canvas's among them, each with its place."""
    texts = read(language)
    canvas = (ROOT / "web" / "regions" / "words" / f"{language}.mjs").read_text(encoding="utf-8")
    return [(place, text_at(texts, place)) for place in paths_of(texts)] + [("canvas", canvas)]


@pytest.fixture(scope="module")
def titles_of_the_host():
    """language -> node id -> title, read from the front end that is installed."""
    assets = Path(importlib.util.find_spec("comfyui_frontend_package").origin).parent / "static" / "assets"
    loaders = next(text for text in map(Path.read_text, assets.glob("i18n-*.js")) if "nodeDefs.json" in text)
    dump = """const { default: nodes } = await import(process.argv[1]);
    const titles = Object.entries(nodes).map(([id, node]) => [id, node.display_name]);
    console.log(JSON.stringify(Object.fromEntries(titles)));"""
    titles = {}
    for language in SPOKEN_BY_THE_HOST:
        [file] = re.findall(rf'"\./{language}/nodeDefs\.json":\(\)=>\w+\(\(\)=>import\(`\./([\w-]+\.js)`', loaders)
        command = [compute_driver_executable()[0], "--input-type=module", "-e", dump, (assets / file).as_uri()]
        titles[language] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return titles


def without_brackets(title):
    return re.split(r"\s*[（(]", title)[0]


def named_in(text, names):
    """The names that stand in a text, a longer one in place of what it begins with."""
    found = []
    for name in sorted(names, key=len, reverse=True):
        text, times = re.subn(rf"\b{re.escape(name)}(?!\w)", "", text)
        found += [name] * bool(times)
    return found


@pytest.mark.parametrize("language", SPOKEN_BY_THE_HOST)
def test_the_hosts_nodes_are_called_as_the_host_calls_them(language, titles_of_the_host):
    import nodes

    theirs = {}
    for kind, english in nodes.NODE_DISPLAY_NAME_MAPPINGS.items():
        for name in {english, without_brackets(english)}:
            if kind in titles_of_the_host[language] and (" " in name or name == "KSampler"):
                theirs.setdefault(name, set()).add(without_brackets(titles_of_the_host[language][kind]))
    own = {texts["display_name"] for texts in read(ENGLISH).values()}

    named = [
        (place, name, translation)
        for place, english, translation in sentences(language)
        for name in named_in(english, {*theirs, *own})
        if name in theirs
    ]
    assert {"Apply ControlNet", "CLIP Text Encode", "VAE Decode", "Load CLIP Vision"} <= {name for _, name, _ in named}
    assert [fault for fault in named if not any(title in fault[2] for title in theirs[fault[1]])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_nodes_are_called_by_their_titles(language):
    titles = {texts["display_name"]: read(language)[node]["display_name"] for node, texts in read(ENGLISH).items()}
    two_words = [name for name in titles if " " in name]

    faults = [
        (place, name)
        for place, english, translation in sentences(language)
        for name in named_in(english, two_words)
        if titles[name] not in translation
    ]
    assert faults == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_are_those_of_the_field(language):
    faults = [
        (place, term, translation)
        for place, english, translation in sentences(language)
        for term, words in TERMS.items()
        if (match := re.search(rf"\b{term}\b", english))
        and not re.search(rf"{words[LANGUAGES.index(language)]}|\b{match[0]}\b", translation, re.IGNORECASE)
    ]
    assert faults == []
    assert [(place, text) for place, text in words_of(language) if re.search(NOT_OUR_WORDS[language], text)] == []


@pytest.mark.parametrize("language", SCRIPTS)
def test_a_script_has_no_signs_of_the_other(language):
    for place, text in words_of(language):
        strays = [sign for sign in text if sign > "\u2e7f" and not sign.encode(SCRIPTS[language], errors="ignore")]
        assert strays == [], place


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("node", EVERYDAY)
def test_a_setting_named_by_a_term_keeps_the_term(node, language):
    names = {
        key: (read(ENGLISH)[node]["inputs"][key]["name"], entry["name"])
        for key, entry in read(language)[node]["inputs"].items()
    }
    lost = {
        key: translated
        for key, (term, translated) in names.items()
        if term not in EVERYDAY[node].split()
        and not re.search(rf"[（(]{term}[）)]$|^{term}$", translated, re.IGNORECASE)
    }
    assert lost == {}
