"""Start a real ComfyUI as a process of its own, with this pack in it, writing nowhere but where it is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from ..bootstrap.errors import Refusal
from ..bootstrap.installation import Installation
from ..bootstrap.link import ensure_link
from ..bootstrap.lock import Lock
from ..bootstrap.places import PACK_FOLDER, ROOT
from .client import Client
from .ports import ADDRESS, choose_port, is_free

FOLDERS = ("input", "output", "user")
LOG_LINES = 25
COLOUR = re.compile("\x1b\\[[0-9;]*m")


class Server:
    """A ComfyUI process. `base` holds its input, output, temp and user folders, its log, and the link to this pack.

    `variables` are set in its environment besides those that every server gets.
    """

    def __init__(
        self,
        installation: Installation,
        base: Path,
        port: int | None = None,
        cpu: bool = True,
        variables: dict[str, str] | None = None,
    ):
        self.installation = installation
        self.base = base
        self.port = choose_port(port)
        self.cpu = cpu
        self.variables = variables or {}
        self.log = base / "comfyui.log"
        self.client = Client(f"http://{ADDRESS}:{self.port}")
        self.process: subprocess.Popen | None = None
        self.held: Lock | None = None  # of `base`, where several could start there

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return self.client.address

    def command(self) -> list[str]:
        """The command line, after making the folders it names."""
        for name in FOLDERS:
            (self.base / name).mkdir(parents=True, exist_ok=True)
        options = ["--listen", ADDRESS, "--port", str(self.port), "--disable-auto-launch", "--disable-api-nodes"]
        options += ["--use-pytorch-cross-attention", "--database-url", "sqlite:///:memory:"]
        options += ["--temp-directory", str(self.base)]  # ComfyUI adds "temp" to this one itself
        for name in FOLDERS:
            options += [f"--{name}-directory", str(self.base / name)]
        options += self.pack_options()
        if self.cpu:
            options.append("--cpu")
        return [str(self.installation.python), str(self.installation.comfyui / "main.py"), *options]

    def pack_options(self) -> list[str]:
        """Make the pack visible: linked in the private host already, elsewhere alone, through a folder of ours."""
        linked = self.installation.comfyui / "custom_nodes" / PACK_FOLDER
        if self.installation.private and linked.resolve() == ROOT:
            return []
        # A folder of the same name in somebody's custom_nodes would be allowed along with ours.
        name = PACK_FOLDER if not linked.exists() else PACK_FOLDER + "-here"
        ensure_link(self.base / "custom_nodes" / name, ROOT)
        config = self.base / "model_paths.yaml"
        config.write_text("troupe:\n  custom_nodes: custom_nodes\n", encoding="utf-8")
        return [
            "--extra-model-paths-config",
            str(config),
            "--disable-all-custom-nodes",
            "--whitelist-custom-nodes",
            name,
        ]

    def environment(self) -> dict[str, str]:
        """No telemetry, no look-ups at model hubs, and no byte code written beside somebody's files."""
        quiet = {
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_ALBUMENTATIONS_UPDATE": "1",
        }
        if not self.installation.private:
            quiet["PYTHONDONTWRITEBYTECODE"] = "1"
        return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **quiet, **self.variables}

    def start(self, timeout: float = 240) -> None:
        """Start and wait until it answers. Raises Refusal with the end of its log when it does not come up."""
        command = self.command()
        # In a group of its own, so that Ctrl-C reaches us first and the server is stopped in order.
        group = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        )
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment(),
                cwd=self.base,
                **group,
            )
        try:
            self._wait(timeout)
        except BaseException:  # Ctrl-C while it starts, too: nobody else would end it
            self.stop()
            raise

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.answers():
            if not self.alive():
                raise Refusal(self.death_notice("ComfyUI ended while starting"))
            if time.monotonic() > deadline:
                raise Refusal(self.death_notice(f"ComfyUI did not answer within {timeout:.0f} s"))
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether this server is ready for requests, and not another one that took the port in the meantime."""
        if is_free(self.port):
            return False
        try:
            stats = self.client.get_json("/system_stats", timeout=5)
        except (OSError, ValueError):
            return False
        arguments = stats.get("system", {}).get("argv")
        return self.alive() and (arguments is None or str(self.base / "user") in arguments)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End the process, firmly if it does not listen."""
        if not self.alive():
            return
        assert self.process is not None
        self.process.terminate() if os.name == "nt" else self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self, before: str | None = None) -> str:
        """The last lines of the log, or those before a line with `before` in it; progress bars in their last state."""
        # Bytes: reading as text would turn the carriage returns of a progress bar into line breaks.
        text = self.log.read_bytes().decode(errors="replace") if self.log.exists() else ""
        lines = [line.rstrip().rsplit("\r", 1)[-1].rstrip() for line in COLOUR.sub("", text).split("\n")]
        ends = [i for i, line in enumerate(lines) if before and before in line]
        return "\n".join([line for line in lines[: ends[0] if ends else None] if line][-LOG_LINES:])

    def death_notice(self, what: str, before: str | None = None) -> str:
        """What happened, with the end of the log (or what came before the line with `before`) as one block."""
        code = self.process.poll() if self.process else None
        ended = f" (exit status {code})" if code is not None else ""
        return f"{what}{ended}. From its log, {self.log}:\n\n{indent(self.last_words(before))}\n"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def indent(text: str) -> str:
    """Set a block apart from the sentence above it."""
    return "\n".join("    " + line for line in text.splitlines())
