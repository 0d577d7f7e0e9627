"""One ComfyUI with this pack: which nodes it has, what picture it draws, what the canvas does in its own editor."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ...bootstrap.installation import Installation
from ...bootstrap.places import ROOT
from ...hosting.client import error_of
from ...hosting.server import Server
from ...showing.watched import watch
from ...showing.workflow import read_workflow, to_prompt
from .canvas import regions_drawn

WORKFLOW = ROOT / "workflows" / "10 Two people, wired by hand.json"
SPEAKING = re.compile(r"(?<![-./_\w])Troupe[,: ]")  # a message of this pack's, not a path
RENDERERS = ("classic", "Nodes 2.0")


@dataclass(frozen=True, eq=False)
class Trial:
    """What one host did.

    nodes   : ids of this pack's nodes
    picture : the demo picture, float32 [H, W, 3] in 0..255; None where it could not be drawn
    regions : renderer to the regions on the canvas after a third one was drawn; empty without a browser
    said    : the lines of its log that speak of this pack
    """

    nodes: frozenset[str]
    picture: np.ndarray | None
    regions: dict[str, int] = field(default_factory=dict)
    said: tuple[str, ...] = ()


class HostServer(Server):
    """A ComfyUI that shows the front end in a folder instead of the installed one."""

    def __init__(self, installation: Installation, base: Path, front_end: Path | None):
        super().__init__(installation, base, variables={"OMP_NUM_THREADS": "1"})
        self.front_end = front_end

    def start(self, timeout: float = 900) -> None:
        """Start and wait until it answers; the first time it writes byte code and looks through its folders."""
        super().start(timeout)

    def command(self) -> list[str]:
        """With the folder of the front end."""
        return super().command() + (["--front-end-root", str(self.front_end)] if self.front_end else [])


def try_host(installation: Installation, front_end: Path | None, folder: Path, browser: str | None) -> Trial:
    """Start it with its folders and screenshots in `folder`, and try everything. What fails is part of what it did."""
    with HostServer(installation, folder, front_end) as server:
        nodes = frozenset(name for name in server.client.object_info() if name.startswith("Troupe_"))
        picture, fault = demo_picture(server) if nodes else (None, "no node of this pack")
        regions = {name: regions_drawn(server, browser, name, folder) for name in RENDERERS} if browser else {}
        log = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line for line in log if SPEAKING.search(line)]
    return Trial(nodes, picture, regions, (*said, *([fault] if fault else [])))


def demo_picture(server: Server) -> tuple[np.ndarray | None, str | None]:
    """The picture of the demo's workflow, or why there is none."""
    watched = watch(to_prompt(read_workflow(WORKFLOW), server.client.object_info()))
    entry = server.client.wait(server.client.submit(watched.prompt), timeout=1800)
    fault = error_of(entry)
    if fault:
        return None, fault
    data = server.client.file(entry["outputs"][watched.saved[0]]["images"][0])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32), None


def difference(picture: np.ndarray | None, reference: np.ndarray | None) -> float:
    """Mean difference of two pictures in levels of 255; that of black to white where one is missing."""
    if picture is None or reference is None or picture.shape != reference.shape:
        return 255.0
    return float(np.abs(picture - reference).mean())
