"""Thumbnails of the demo's workflows for the template browser, put together from what a run of each really showed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ..bootstrap.errors import Refusal
from ..hosting.client import Client, error_of
from .workflow import to_prompt

WIDTH = 384
GAP = 6
# Workflow: titles (or types) of the nodes whose pictures it is known by, from top to bottom.
SHOWN = {
    "01 Two people, runs at once": ("SaveImage",),
    "10 Two people, wired by hand": ("SaveImage",),
    "11 Three people in depth": ("SaveImage",),
    "13 Where each person acted": ("Where each person acted", "Layer by layer"),
    "19 Into a picture, runs at once": ("The picture they come into", "SaveImage"),
}


def draw_thumbnail(client: Client, file: Path) -> Image.Image:
    """Run a workflow file and put the pictures of its rows together. Raises Refusal where it fails."""
    workflow = json.loads(file.read_text(encoding="utf-8"))
    entry = client.wait(client.submit(to_prompt(workflow, client.object_info())), timeout=1800)
    error = error_of(entry)
    if error:
        raise Refusal(f"{file.name} did not run, so its thumbnail stays as it was: {error}")
    return stacked([row_of(_pictures(client, entry, node)) for node in nodes_shown(workflow, SHOWN[file.stem])])


def nodes_shown(workflow: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Numbers of the nodes with these titles or types, in the order of the names; each is there once."""
    numbers = {node.get("title") or node["type"]: str(node["id"]) for node in workflow["nodes"]}
    return [numbers[name] for name in names]


def row_of(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size beside each other, WIDTH pixels together."""
    each = (WIDTH - GAP * (len(pictures) - 1)) // len(pictures)
    row = Image.new("RGB", (WIDTH, round(each * pictures[0].height / pictures[0].width)), "white")
    for number, picture in enumerate(pictures):
        row.paste(picture.resize((each, row.height), Image.Resampling.LANCZOS), (number * (each + GAP), 0))
    return row


def stacked(rows: Sequence[Image.Image]) -> Image.Image:
    """Rows of one width below each other."""
    sheet = Image.new("RGB", (WIDTH, sum(row.height for row in rows) + GAP * (len(rows) - 1)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    return sheet


def _pictures(client: Client, entry: Mapping[str, Any], node: str) -> list[Image.Image]:
    files = entry["outputs"][node]["images"]
    return [Image.open(io.BytesIO(client.file(file))).convert("RGB") for file in files]
