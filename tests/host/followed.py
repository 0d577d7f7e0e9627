"""Run a prompt on the real server and keep what it tells the editor meanwhile: moving bars and preview pictures."""

from __future__ import annotations

import io
import json
import struct
import urllib.request
import uuid
from dataclasses import dataclass, field

import numpy as np
import websocket
from pack.scripts.hosting.client import OPENER
from PIL import Image

ENDINGS = {"execution_success", "execution_error", "execution_interrupted"}
PREVIEW = 1  # the type of a binary message that is a picture


@dataclass
class Followed:
    """bars: (value, max) of each node in order; frames: the pictures each node showed while it ran; how it ended."""

    ending: str = ""
    bars: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    frames: dict[str, list[np.ndarray]] = field(default_factory=dict)


def follow(server, prompt: dict, previews: str = "latent2rgb", on_bar=None) -> Followed:
    """Run a prompt with the editor's preview method; `on_bar(node, value)` is called at every move of a bar."""
    client = uuid.uuid4().hex
    address = server.address.replace("http", "ws", 1) + f"/ws?clientId={client}"
    socket = websocket.create_connection(address, timeout=120, http_no_proxy=["*"])
    body = {"prompt": prompt, "client_id": client, "extra_data": {"preview_method": previews}}
    request = urllib.request.Request(
        server.address + "/prompt", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with OPENER.open(request, timeout=60) as answer:
            prompt_id = json.loads(answer.read())["prompt_id"]
        return _listen(socket, prompt_id, on_bar)
    finally:
        socket.close()


def interrupt(server) -> None:
    """What the editor's button does."""
    request = urllib.request.Request(server.address + "/interrupt", b"{}", {"Content-Type": "application/json"})
    with OPENER.open(request, timeout=60):
        pass


def _listen(socket, prompt_id: str, on_bar) -> Followed:
    seen, node = Followed(), ""
    while not seen.ending:
        message = socket.recv()
        if isinstance(message, bytes):
            if struct.unpack(">I", message[:4])[0] == PREVIEW:
                picture = np.asarray(Image.open(io.BytesIO(message[8:])).convert("RGB"))
                seen.frames.setdefault(node, []).append(picture)
            continue
        event = json.loads(message)
        data = event.get("data") or {}
        if data.get("prompt_id") != prompt_id:
            continue
        if event["type"] == "executing":
            node = data.get("node") or ""
        elif event["type"] == "progress":
            seen.bars.setdefault(data["node"], []).append((data["value"], data["max"]))
            if on_bar:
                on_bar(data["node"], data["value"])
        elif event["type"] in ENDINGS:
            seen.ending = event["type"]
    return seen
