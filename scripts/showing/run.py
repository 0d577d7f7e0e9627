"""From a workflow file to a folder with the picture, the contact sheet and the scores."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..bootstrap.console import Console
from ..bootstrap.errors import Refusal
from ..hosting.client import Client
from .contact_sheet import Shot, draw_sheet
from .progress import run_prompt
from .scores import found_faces, read_scores, summary
from .watched import watch
from .workflow import is_prompt, read_workflow, to_prompt


def run_workflow(client: Client, file: Path, out: Path, console: Console) -> list[Path]:
    """Run `file` and write what it made into `out`. Returns the files written, the pictures first."""
    workflow = read_workflow(file)
    watched = watch(to_prompt(workflow, client.object_info()))
    entry = run_prompt(client, watched.prompt, None if is_prompt(workflow) else workflow, console)
    outputs = entry["outputs"]

    def pictures(node_id: str) -> list[bytes]:
        return [client.file(image) for image in outputs.get(node_id, {}).get("images", [])]

    out.mkdir(parents=True, exist_ok=True)
    saved = [data for node_id in watched.saved for data in pictures(node_id)]
    if not saved:
        raise Refusal(f"{file.name} ran, but saved no picture. End it in a Save Image node.")
    written = [write(out / numbered("picture.png", i, len(saved)), data) for i, data in enumerate(saved)]
    references = [(name, as_image(pictures(node_id)[0])) for name, node_id in watched.references.items()]
    scores, shots = [], []
    for text_id, picture_id in watched.scored:
        runs = [read_scores(text) for text in outputs.get(text_id, {}).get("text", [])]
        scores += runs
        shots += shots_of(runs, [as_image(data) for data in pictures(picture_id)])
    shots = shots or [Shot(as_image(data)) for data in saved]
    title = file.stem.replace("-", " ").replace("_", " ").capitalize()
    sheet = out / "contact-sheet.png"
    draw_sheet(title, references, shots).save(sheet)
    written.append(sheet)
    if scores:
        text = json.dumps(scores[0] if len(scores) == 1 else scores, indent=2, ensure_ascii=False) + "\n"
        written.append(write(out / "scores.json", text.encode()))
    return written


def shots_of(runs: Sequence[dict], pictures: Sequence[Image.Image]) -> list[Shot]:
    """The pictures that a score node looked at, each with what it says of it.

    runs : its scores; several where the node ran once for each entry of a list
    """
    entries = [scored for run in runs for scored in run["images"]]
    return [
        Shot(picture, found_faces(scored), scored.get("missing", []), summary(scored))
        for picture, scored in zip(pictures, entries, strict=True)
    ]


def numbered(name: str, index: int, count: int) -> str:
    """`picture.png`, or `picture-2.png` when there are several."""
    stem, dot, suffix = name.rpartition(".")
    return name if count == 1 else f"{stem}-{index + 1}{dot}{suffix}"


def write(path: Path, data: bytes) -> Path:
    """Write a file in one rename, so that a picture is never half there."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
    return path


def as_image(data: bytes) -> Image.Image:
    """Decode a picture."""
    return Image.open(io.BytesIO(data)).convert("RGB")
