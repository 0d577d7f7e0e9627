"""A real ComfyUI whose process can be looked into: its memory, the tensors that live in it, its open files."""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from ...hosting.client import error_of
from ...hosting.server import Server

PROBE = Path(__file__).with_name("probe_route.py")
PATIENCE = 600  # seconds; all objects of the process are looked at, on a machine that may be busy
MEGABYTE = 1e6


@dataclass(frozen=True)
class Look:
    """What a process holds between two runs; memory in megabytes."""

    memory: float
    tensors: float
    tensor_memory: float
    handles: float


class WatchedServer(Server):
    """A ComfyUI that also has the route of probe_route.py."""

    def pack_options(self) -> list[str]:
        folder = self.base / "probe_nodes"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROBE, folder / PROBE.name)
        config = self.base / "probe_paths.yaml"
        config.write_text("probe:\n  custom_nodes: probe_nodes\n", encoding="utf-8")
        options = super().pack_options()
        if "--whitelist-custom-nodes" in options:  # the last one, and it takes any number of names
            options.append(PROBE.name)
        return ["--extra-model-paths-config", str(config), *options]

    def look(self) -> Look:
        """What the process holds now; it must be idle."""
        found = self.client.get_json("/troupe_probe", PATIENCE)
        process = psutil.Process(self.process.pid)
        handles = process.num_handles() if hasattr(process, "num_handles") else process.num_fds()
        memory = process.memory_info().rss / MEGABYTE
        return Look(memory, found["tensors"], found["bytes"] / MEGABYTE, handles)

    def run(self, prompt: dict) -> dict:
        """Queue a prompt and wait for its end."""
        return self.client.wait(self.client.submit(prompt))

    def interrupted(self, prompt: dict, after: float) -> dict:
        """Queue a prompt and interrupt it after some seconds, unless it has ended by then; how it ended."""
        prompt_id = self.client.submit(prompt)
        time.sleep(after)
        self.client.post("/interrupt", {"prompt_id": prompt_id})
        return self.client.wait(prompt_id)

    def picture(self, entry: dict) -> np.ndarray:
        """The picture that a run saved, uint8 [H, W, 3]. Raises RuntimeError where the run failed."""
        error = error_of(entry)
        if error:
            raise RuntimeError(error)
        (image,) = entry["outputs"]["saved"]["images"]
        return np.asarray(Image.open(io.BytesIO(self.client.file(image))).convert("RGB"))
