"""Nothing of this pack can be taken for another pack's: ids, sockets, routes, extensions, settings."""

import re
from types import SimpleNamespace

from aiohttp import web
from pack.nodes import NODES, Troupe, types
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.finished import finished


def test_node_ids_carry_the_packs_name_once():
    ids = [node.GET_SCHEMA().node_id for node in NODES]

    assert [name for name in ids if not re.fullmatch(r"Troupe_[A-Z][A-Za-z]+", name)] == []
    assert len(ids) == len(set(ids))


HOSTS_OWN = {"BOUNDING_BOX"}  # a type of ComfyUI's own that this pack's nodes take


def test_categories_and_sockets_carry_the_packs_name():
    assert {node.GET_SCHEMA().category.split("/")[0] for node in NODES} == {"Troupe"}
    sockets = [value.io_type for value in vars(types).values() if hasattr(value, "io_type")]
    assert sockets
    assert [name for name in sockets if not name.startswith("TROUPE_") and name not in HOSTS_OWN] == []


def test_every_route_lies_below_the_packs_own(monkeypatch):
    from server import PromptServer

    routes = web.RouteTableDef()
    monkeypatch.setattr(PromptServer, "instance", SimpleNamespace(routes=routes), raising=False)

    finished(Troupe().on_load())

    assert [route.path for route in routes]
    assert [route.path for route in routes if not route.path.startswith("/troupe/")] == []


def test_what_the_browser_registers_carries_the_packs_name():
    entries = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "web").glob("*.js"))]
    extensions = [name for text in entries for name in re.findall(r'registerExtension\(\{\s*name: "([^"]+)"', text)]
    settings = [name for text in entries for name in re.findall(r'= "([A-Z]\w*\.\w+)"; *(?://.*)?$', text, re.M)]
    widgets = [name for text in entries for name in re.findall(r'const WIDGET = "(\w+)"', text)]

    assert len(extensions) == len(entries)
    assert [name for name in extensions if not name.startswith("Troupe.")] == []
    assert [name for name in settings if not name.startswith("Troupe.")] == []
    assert [name for name in widgets if not name.startswith("TROUPE_")] == []


def test_nothing_in_the_browser_knows_the_folders_name():
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in (ROOT / "web").rglob("*")
        if path.suffix in (".js", ".mjs", ".css")
    }

    assert [str(path) for path, text in texts.items() if "ComfyUI-Troupe" in text or "/extensions/" in text] == []
