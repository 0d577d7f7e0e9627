"""Talk to a running ComfyUI over HTTP: what it offers, run a prompt, fetch what came out."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request

from ..bootstrap.errors import Refusal

# Never through a proxy: the server is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PromptRefused(Refusal):
    """ComfyUI did not accept a prompt. `answer` is what it said: `error` and `node_errors`."""

    def __init__(self, answer: dict):
        self.answer = answer
        super().__init__(f"ComfyUI refused the workflow. {describe(answer)}")


def describe(answer: dict) -> str:
    """The errors of a refused prompt in one line, node by node."""
    faults = [
        f"{node.get('class_type', 'node')} ({number}): {fault.get('message', '')} {fault.get('details', '')}".strip()
        for number, node in (answer.get("node_errors") or {}).items()
        for fault in node.get("errors", [])
    ]
    error = answer.get("error")
    overall = (
        f"{error.get('message', '')} {error.get('details', '')}".strip() if isinstance(error, dict) else str(error)
    )
    return "; ".join(faults) or overall


class Client:
    """One ComfyUI server, by its address such as http://127.0.0.1:8188."""

    def __init__(self, address: str):
        self.address = address.rstrip("/")

    def get(self, path: str, timeout: float = 60) -> bytes:
        """The body of GET `path`. Raises OSError (URLError, HTTPError, a timeout) when there is none."""
        with OPENER.open(self.address + path, timeout=timeout) as answer:
            return answer.read()

    def get_json(self, path: str, timeout: float = 60):
        """The answer to GET `path`, decoded."""
        return json.loads(self.get(path, timeout))

    def post(self, path: str, body: dict, timeout: float = 60) -> bytes:
        """The body of the answer to a POST of JSON; raises as `get` does."""
        request = urllib.request.Request(
            self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.read()

    def object_info(self) -> dict:
        """Every node the server knows, with its inputs and outputs."""
        return self.get_json("/object_info")

    def submit(self, prompt: dict, workflow: dict | None = None, client_id: str | None = None) -> str:
        """Queue an API prompt and return its id. `workflow` is embedded in saved pictures. Raises PromptRefused."""
        body: dict = {"prompt": prompt}
        if client_id:
            body["client_id"] = client_id
        if workflow is not None:
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        try:
            said = json.loads(self.post("/prompt", body))
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                said = json.loads(text)
            except ValueError:
                said = {"error": {"message": f"HTTP status {error.code}", "details": text[:500]}}
            raise PromptRefused(said) from None
        if said.get("node_errors"):
            # ComfyUI would run the part of the graph that is valid; half a result would only confuse.
            raise PromptRefused(said)
        return said["prompt_id"]

    def history(self, prompt_id: str) -> dict | None:
        """What is known of a prompt that has ended (`outputs`, `status`); None while it runs."""
        return self.get_json(f"/history/{prompt_id}").get(prompt_id)

    def wait(self, prompt_id: str, timeout: float = 600) -> dict:
        """The history of a prompt once it has ended. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            entry = self.history(prompt_id)
            if entry is not None:
                return entry
            time.sleep(0.1)
        raise TimeoutError(f"ComfyUI did not finish within {timeout:.0f} s.")

    def file(self, image: dict) -> bytes:
        """The bytes of one picture named in a history (`filename`, `subfolder`, `type`)."""
        query = {name: image.get(name, "") for name in ("filename", "subfolder", "type")}
        return self.get("/view?" + urllib.parse.urlencode(query))


def error_of(entry: dict) -> str | None:
    """The message with which a prompt ended, with the node that raised it; None when it succeeded."""
    for event, data in entry.get("status", {}).get("messages", []):
        if event == "execution_error":
            return f"{data.get('node_type')}: {data.get('exception_message', '').strip()}"
    return None if entry.get("status", {}).get("status_str") == "success" else "the run was interrupted"
