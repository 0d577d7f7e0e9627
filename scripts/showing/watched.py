"""Which outputs of a prompt the contact sheet is drawn from, with preview nodes added where none is wired."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

PICTURES = ("SaveImage", "PreviewImage")


@dataclass(frozen=True)
class Watched:
    """Node ids in `prompt` whose outputs tell the story."""

    prompt: dict
    references: dict[str, str] = field(default_factory=dict)  # name of a person -> node that shows their photos
    scored: list[tuple[str, str]] = field(default_factory=list)  # (node with the scores' text, node with the pictures)
    saved: list[str] = field(default_factory=list)  # nodes that save pictures


def watch(prompt: dict) -> Watched:
    """Find the outputs to look at, in a copy of `prompt` that has a preview for each of them."""
    prompt = copy.deepcopy(prompt)
    references, scored = {}, []
    for node_id, node in list(prompt.items()):
        if node["class_type"] == "Troupe_ExtractIdentity" and is_link(node["inputs"].get("image")):
            name = node["inputs"].get("name")
            name = name if isinstance(name, str) and name else f"person {len(references) + 1}"
            references[name] = viewer(prompt, node["inputs"]["image"], PICTURES, "images")
        if node["class_type"] == "Troupe_ScoreCast" and is_link(node["inputs"].get("images")):
            text = viewer(prompt, [node_id, 1], ("PreviewAny",), "source")
            scored.append((text, viewer(prompt, node["inputs"]["images"], PICTURES, "images")))
    saved = [node_id for node_id, node in prompt.items() if node["class_type"] == "SaveImage"]
    return Watched(prompt, references, scored, saved)


def viewer(prompt: dict, link: list, kinds: tuple[str, ...], input_name: str) -> str:
    """The node that shows the output `link` already, of the first of `kinds` there is; else a new one of the last."""
    for kind in kinds:
        for node_id, node in prompt.items():
            if node["class_type"] == kind and node["inputs"].get(input_name) == link:
                return node_id
    added = f"shown-{len(prompt)}"
    prompt[added] = {"class_type": kinds[-1], "inputs": {input_name: link}, "_meta": {"title": "Preview"}}
    return added


def is_link(value: object) -> bool:
    """Whether an input comes from another node."""
    return isinstance(value, list) and len(value) == 2
