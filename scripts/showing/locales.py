"""What the editor shows of the nodes in each language: the English texts from the schemas, the others held to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..bootstrap.places import ROOT

LOCALES = ROOT / "locales"
ENGLISH = "en"
CHOICES, GROWING = "COMFY_DYNAMICCOMBO_V3", "COMFY_AUTOGROW_V3"  # inputs that hold others


def inputs_of(info: dict) -> Iterator[tuple[str, str, dict]]:
    """(name, type, options) of every input in a node's entry of /object_info, those within choices as `mode.odds`."""
    for part in ("required", "optional"):
        for name, spec in info["input"].get(part, {}).items():
            yield from _with_nested(name, spec)


def _with_nested(name: str, spec: list) -> Iterator[tuple[str, str, dict]]:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    yield name, kind, options
    if kind == CHOICES:
        for choice in options["options"]:
            for part in ("required", "optional"):
                for nested, nested_spec in choice["inputs"].get(part, {}).items():
                    yield from _with_nested(f"{name}.{nested}", nested_spec)


def english(nodes: dict[str, dict]) -> dict[str, dict]:
    """The texts of nodes (id to entry of /object_info) as the editor's nodeDefs.json has them, dots in keys as _."""
    return {node: _texts(info) for node, info in nodes.items()}


def _texts(info: dict) -> dict:
    tips = info.get("output_tooltips") or []
    inputs = {name.replace(".", "_"): _entry(_last(name), options) for name, _, options in inputs_of(info)}
    outputs = {
        str(place): _entry(name, {"tooltip": tips[place] if place < len(tips) else None})
        for place, name in enumerate(info["output_name"])
    }
    texts = {"display_name": info["display_name"], "description": info["description"]}
    return texts | {key: value for key, value in (("inputs", inputs), ("outputs", outputs)) if value}


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _entry(name: str, options: dict) -> dict:
    tooltip = options.get("tooltip")
    return {"name": name, "tooltip": tooltip} if tooltip else {"name": name}


def read(language: str) -> dict[str, dict]:
    """nodeDefs.json of a language."""
    return json.loads((LOCALES / language / "nodeDefs.json").read_text(encoding="utf-8"))


def write(language: str, texts: dict) -> Path:
    """Write nodeDefs.json of a language; where it lies."""
    path = LOCALES / language / "nodeDefs.json"
    path.write_text(json.dumps(texts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
    return path


def paths_of(texts: dict, above: str = "") -> Iterator[str]:
    """The places of all texts: `Troupe_X/inputs/image/name`."""
    for key, value in texts.items():
        place = f"{above}/{key}" if above else key
        if isinstance(value, dict):
            yield from paths_of(value, place)
        else:
            yield place


def faults(wanted: dict, found: dict) -> list[str]:
    """What a language lacks and what it has too much, place by place."""
    needed, there = set(paths_of(wanted)), set(paths_of(found))
    return [f"missing {place}" for place in sorted(needed - there)] + [
        f"stale {place}" for place in sorted(there - needed)
    ]


def report_on(comfyui: Path) -> str:
    """Write the English texts anew from the schemas; what each other language lacks or has too much, as text."""
    from ..hosting.in_process import import_host

    import_host(comfyui)
    from ...nodes import NODES

    texts = english({node.GET_SCHEMA().node_id: node.GET_NODE_INFO_V1() for node in NODES})
    lines = [f"Wrote {write(ENGLISH, texts)}."]
    for folder in sorted(LOCALES.iterdir()):
        if folder.name != ENGLISH:
            lines += [f"{folder.name}: {fault}" for fault in faults(texts, read(folder.name))] or [f"{folder.name}: ok"]
    return "\n".join(lines) + "\n"
