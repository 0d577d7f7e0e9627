"""Run a prompt and follow it over ComfyUI's web socket, so that the person sees what it is doing."""

from __future__ import annotations

import json
import uuid

from ..bootstrap.console import Console
from ..bootstrap.errors import Refusal
from ..hosting.client import Client, error_of

ENDINGS = {"execution_success", "execution_error", "execution_interrupted"}


def run_prompt(client: Client, prompt: dict, workflow: dict | None, console: Console) -> dict:
    """Queue `prompt`, show its progress, and return its history. Raises Refusal with the message of a failed node."""
    import websocket

    client_id = uuid.uuid4().hex
    address = client.address.replace("http", "ws", 1) + f"/ws?clientId={client_id}"
    # Connected before the prompt is queued, or the first messages would be missed.
    socket = websocket.create_connection(address, timeout=600, http_no_proxy=["*"])
    try:
        prompt_id = client.submit(prompt, workflow, client_id)
        follow(socket, prompt, prompt_id, console)
    except (websocket.WebSocketException, ConnectionError) as error:
        raise Refusal(
            f"ComfyUI went away while it was running the workflow ({error or type(error).__name__})."
        ) from None
    finally:
        socket.close()
        console.clear()
    entry = client.wait(prompt_id, timeout=30)
    error = error_of(entry)
    if error:
        raise Refusal(f"The workflow failed. {error}")
    return entry


def follow(socket, prompt: dict, prompt_id: str, console: Console) -> None:
    """Show what each message says until the prompt has ended."""
    done: set[str] = set()
    while True:
        message = socket.recv()
        if isinstance(message, bytes):  # a preview picture
            continue
        event = json.loads(message)
        data = event.get("data") or {}
        if data.get("prompt_id") != prompt_id:
            continue
        if event["type"] in ENDINGS:
            return
        if event["type"] == "execution_cached":
            done.update(data.get("nodes", []))
        node = data.get("node")
        if event["type"] == "executing" and node:
            console.status(f"  {len(done) + 1}/{len(prompt)}  {title(prompt, node)}")
            done.add(node)
        elif event["type"] == "progress" and node:
            console.status(f"  {len(done)}/{len(prompt)}  {title(prompt, node)}  {data['value']}/{data['max']}")


def title(prompt: dict, node_id: str) -> str:
    """What a person would call a node."""
    node = prompt.get(node_id, {})
    return (node.get("_meta") or {}).get("title") or node.get("class_type") or node_id
