"""What every workflow carries: a note per group and a readable view; for a user's own photos also addresses of files,
a note on them and the Doctor."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ...nodes.host.adapters.eva_files import NAME as EVA
from ...nodes.host.cast.chosen_adapter import FIRST_FILES, SD15
from ...nodes.host.doctor.doctor_workflows import FOLDERS, NAMES
from ...nodes.host.model_files import ENCODERS, ModelFile, address_of, published
from .graph_picture import LEFT, TOP, bounds_of

# What each group of a template is for and what to change in it first, by the group's title without its number.
GROUPS = {
    "The people": "Drop a photo on a region, or on free ground for one more person. Words on a card are that person's "
    "own. Front to back in the list is who stands in front.",
    "The model with the cast": "*Apply Cast* puts everybody into their region. Change `strength` first: up where "
    "people are not like their photos, down where faces are burnt or stiff.",
    "The picture": "Another `seed` is another picture. *Score Cast*, where there is one, says who was found where.",
    "Who they are": "A photo per person. *Extract Identity* takes the largest face; look whether it is the right one.",
    "Where they stand": "Drag the regions in *Draw Regions*. `region` of each *Cast Member* is the name of one; the "
    "first member stands in front.",
    "Where they stand, and who is in front": "Drag the regions. `order` of a region says how near it is; *Depth "
    "Layout* draws a depth map of bodies from that.",
    "Where they stand, and their key points": "Drag the regions. *Key-Point Picture* draws eyes, nose and mouth into "
    "each, which the IdentityNet follows.",
    "The model with the cast and the depth map": "*Apply Cast* puts everybody into their region, the depth ControlNet "
    "keeps bodies where the map has them. Change `strength` of *Apply Cast* first.",
    "The model with the cast, the prompts with the IdentityNet": "*Apply Cast* brings the faces, *Apply IdentityNet* "
    "holds them to their key points. Change `strength` of either.",
    "The model, the prompts, the cast": "The model takes people from their photos, so *Apply Cast* needs the VAE and "
    "no adapter. Write the whole picture into the prompt.",
    "The picture and its scores": "Another `seed` is another picture. *Score Cast* looks for everybody's face: 1 is "
    "the photo itself, about 0 a stranger.",
    "The picture, and what each person acted on": "The maps show how much each person changed each place of the "
    "picture, by layer and step. *Attention Maps* has the choice.",
    "The cast and the models, one for each recipe": "*Compare Recipes* makes a model for every line of its list; a "
    "number behind a name is that recipe's strength.",
    "The same seed for all of them, side by side": "One sampler draws with every model from the same seed; *Compare "
    "Grid* lays the pictures side by side.",
    "Who stands there, and what they wear": "Each *Cast Member* has a prompt of its own for the region: as many people "
    "in the same place, who all look like this one.",
    "First pass: the group": "The whole picture. Faces of a group are small, so likeness is still weak.",
    "Second pass: every face in close-up": "*Refine Cast* draws each face anew in close-up and pastes it back. "
    "`denoise` says how much may change.",
    "The picture and their places in it": "The picture that people come into, with as many faces as there are people. "
    "*Regions from Faces* gives each a name from left to right; `margin` says how much around a face is drawn anew.",
    "The picture and the places in it": "Strangers are drawn first. *Regions from Faces* names their places after the "
    "people who come in; `margin` says how much around a face is drawn anew.",
    "The cast, and what is drawn anew": "*Apply Cast* puts everybody into their place. Outside the places nothing "
    "changes; `denoise` of the second sampler says how much may change inside.",
}
SCALE = 0.8  # of the view: a node's 14-pixel letters are 11 pixels high, and the first three groups fit a wide screen
START = "Start here"
PHOTO = "Photo of"  # how titles of photos of people begin
FOUND = (
    "The places: `names` of *Regions from Faces* are given to the faces from left to right, `margin` says how much "
    "around a face is drawn anew. `region` of each *Cast Member* is one of these names."
)
KEPT = (
    "Bypass *Outside the places nothing changes* (Ctrl+B) to have the whole picture drawn anew. To bring in people "
    "where nobody stands, do that and put *Draw Regions* in the place of *Regions from Faces*."
)
ROOM = 170  # above the nodes of a group, for its note
SIZES = "it stands in *Draw Regions* and in every other node with a `width`; keep all of them the same"
NOTE_WIDTH, NOTE_HEIGHT = 460, 110
BOARD = "Troupe_CastBoard"
NOTE, DOCTOR, PREVIEW = "MarkdownNote", "Troupe_Doctor", "PreviewAny"
REPORT = "What the Doctor says"
# Left of all groups, in the graph's units: (left, top, width, height).
GROUP_BOX = (-540, -180, 500, 1220)
BOXES = {NOTE: (-520, -110, 460, 560), DOCTOR: (-520, 520, 460, 60), PREVIEW: (-520, 640, 460, 370)}


def takes_photos(workflow: Mapping[str, Any]) -> bool:
    """Whether a workflow of the editor asks for a user's own photos; the demo's bring theirs."""
    kinds = {node["type"] for node in workflow["nodes"]}
    return "LoadImage" in kinds or (BOARD in kinds and "Troupe_LoadDemoWorld" not in kinds)


def dressed(name: str, workflow: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow with all that templates carry; one that has it comes back as it was.

    name : of its file, without suffix, which the editor shows as its title
    Raises KeyError for a group without a note in GROUPS.
    """
    new = copy.deepcopy(dict(workflow))
    for group in new["groups"]:
        if group["title"] != START:
            _put_note(new, group)
    if takes_photos(new):
        for node in new["nodes"]:
            models = models_of(node)
            if models:
                node["properties"]["models"] = models
        _put_start(new, note_of(name.partition(" ")[2], new))
    left, top, _, _ = bounds_of(new)
    new["extra"]["ds"] = {"scale": SCALE, "offset": [LEFT / SCALE - left, TOP / SCALE - top]}
    return new


def models_of(node: Mapping[str, Any]) -> list[dict[str, str]]:
    """The files that a loader's widgets name, as the editor reads them to offer a download: name, url, directory.

    The editor passes over names that no widget holds, and cannot unpack a face pack; the note has these.
    """
    if node["type"] not in FOLDERS:
        return []
    files = {name: _known(name) for name in node["widgets_values"][: NAMES.get(node["type"], 1)]}
    return [{"name": name, "url": file.address, "directory": file.folder} for name, file in files.items()]


def files_of(workflow: Mapping[str, Any]) -> list[ModelFile]:
    """Every published file that a workflow needs, once: those its loaders name, and encoders that are found unnamed."""
    return list(dict.fromkeys(_known(name) for name in _names_in(workflow)))


def _names_in(workflow: Mapping[str, Any]) -> Iterator[str]:
    for node in workflow["nodes"]:
        if node["type"] == BOARD:  # Apply Cast finds these by itself
            yield from FIRST_FILES[SD15]
        if node["type"] == "Troupe_LoadFaceEngine":
            yield node["widgets_values"][0]
        for model in models_of(node):
            yield model["name"]
            if node["type"] == "Troupe_LoadAdapter" and "pulid" in model["name"]:
                yield EVA
            elif node["type"] == "Troupe_LoadAdapter" and "plus" in model["name"]:
                yield ENCODERS[0].name


def _known(name: str) -> ModelFile:
    file = published(name)
    if file is None:
        raise KeyError(f"{name} is not in nodes/host/model_files.py, where its address was to be found. Add it.")
    return file


def note_of(title: str, workflow: Mapping[str, Any]) -> str:
    """The note in Markdown: which files go where, what to load, what to change first."""
    titles = {node["id"]: node.get("title", "") for node in workflow["nodes"]}
    kinds = {node["id"]: node["type"] for node in workflow["nodes"]}
    loaded = [titles[node] for node, kind in kinds.items() if kind == "LoadImage"]
    photos = [title for title in loaded if title.startswith(PHOTO)]
    others = [title for title in loaded if title not in photos]
    found = "Troupe_RegionsFromFaces" in kinds.values()
    prompts = [titles[node] for node, kind in kinds.items() if "TextEncode" in kind and "egative" not in titles[node]]
    board = BOARD in kinds.values()
    places = "*Cast Board*" if board else "*Draw Regions*. `region` of each *Cast Member* is the name of one"
    first = [
        f"The words in {_listed(prompts)}.",
        FOUND if found else f"The places: drag the regions in {places}.",
        "`strength` of *Apply Cast*: up where people are not like their photos, down where faces are burnt or stiff.",
        KEPT if found else f"The size: {'`width` and `height` of *Cast Board*' if board else SIZES}.",
    ]
    if "Troupe_ApplyIdentityNet" in kinds.values():
        first.insert(3, "`strength` of *Apply IdentityNet*: how firmly faces are held to their key points.")
    base = f" In {_listed(others)}, the picture itself, with as many faces as people come into it." if others else ""
    where = "Drop one on each region of *Cast Board*," if board else f"Choose one in {_listed(photos)}, with"
    return "\n".join([
        f"## {title}", "",
        "### 1. Files, in ComfyUI's folder `models`", *(f"* {_line(file)}" for file in files_of(workflow)), "",
        "Run once: the Doctor below says which are missing and what else is wrong. Press R when they are there.", "",
        "### 2. Photos", f"{where} one subject each, sharp and well lit.{base}", "",
        "### 3. What to change first", *(f"* {line}" for line in first),
    ])  # fmt: skip


def _line(file: ModelFile) -> str:
    then = address_of(file).removeprefix(file.address)
    return f"[{file.name}]({file.address}) in `{file.folder}`{then}: {file.purpose} ({file.licence})"


def _listed(titles: list[str]) -> str:
    names = [f"*{title}*" for title in titles]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _put_note(workflow: dict[str, Any], group: dict[str, Any]) -> None:
    """Put the note of a group above its nodes, in place of an earlier one."""
    text = GROUPS[group["title"].partition(". ")[2]]
    earlier = [node for node in workflow["nodes"] if (node["type"], node.get("title")) == (NOTE, group["title"])]
    if earlier:
        earlier[0]["widgets_values"] = [text]
        return
    left, top, width, height = group["bounding"]
    group["bounding"] = [left, top - ROOM, width, height + ROOM]
    workflow["last_node_id"] += 1
    order = max(node["order"] for node in workflow["nodes"]) + 1
    note = _node(NOTE, workflow["last_node_id"], order, title=group["title"], color="#432", bgcolor="#653",
                 widgets_values=[text])  # fmt: skip
    note |= {"pos": [left + 20, top - ROOM + 70], "size": [min(width - 40, NOTE_WIDTH), NOTE_HEIGHT]}
    workflow["nodes"].append(note)


def _put_start(workflow: dict[str, Any], text: str) -> None:
    """Put the group with the note, the Doctor and its report left of all others, in place of an earlier one."""
    earlier = _start_nodes(workflow)
    if not earlier:
        ids = range(workflow["last_node_id"] + 1, workflow["last_node_id"] + 4)
        workflow["last_node_id"], workflow["last_link_id"] = ids[-1], workflow["last_link_id"] + 1
        link, group = workflow["last_link_id"], max(group["id"] for group in workflow["groups"]) + 1
    else:
        ids = [node["id"] for node in earlier]
        link = earlier[1]["outputs"][0]["links"][0]
        group = next(group["id"] for group in workflow["groups"] if group["title"] == START)
    kept = [node for node in workflow["nodes"] if node not in earlier]
    order = max(node["order"] for node in kept) + 1
    workflow["nodes"] = [*kept, *_nodes(ids, link, order, text)]
    links = [other for other in workflow["links"] if other[0] != link]
    workflow["links"] = [*links, [link, ids[1], 0, ids[2], 0, "STRING"]]
    like = next(other for other in workflow["groups"] if other["title"] != START)
    box = {"id": group, "title": START, "bounding": list(GROUP_BOX)}
    workflow["groups"] = [*(other for other in workflow["groups"] if other["title"] != START), like | box]


def _start_nodes(workflow: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Note, Doctor and report of an earlier writing, in this order; empty before the first."""
    wanted = [(NOTE, START), (DOCTOR, ""), (PREVIEW, REPORT)]
    found = {(node["type"], node.get("title", "")): node for node in workflow["nodes"]}
    return [found[key] for key in wanted] if all(key in found for key in wanted) else []


def _nodes(ids: range | list[int], link: int, order: int, text: str) -> list[dict[str, Any]]:
    note, doctor, report = ids
    out = {"name": "report", "type": "STRING", "links": [link]}
    shown = {"name": "STRING", "type": "STRING", "links": []}
    return [
        _node(NOTE, note, order, title=START, color="#432", bgcolor="#653", widgets_values=[text]),
        _node(DOCTOR, doctor, order + 1, outputs=[out], widgets_values=[]),
        _node(PREVIEW, report, order + 2, title=REPORT, outputs=[shown], widgets_values=[],
              inputs=[{"name": "source", "type": "*", "link": link}]),
    ]  # fmt: skip


def _node(kind: str, number: int, order: int, **more: Any) -> dict[str, Any]:
    left, top, width, height = BOXES[kind]
    node = {"id": number, "type": kind, "pos": [left, top], "size": [width, height], "flags": {}, "order": order}
    properties = {} if kind == NOTE else {"Node name for S&R": kind}
    return node | {"mode": 0, "inputs": [], "outputs": [], "properties": properties} | more
