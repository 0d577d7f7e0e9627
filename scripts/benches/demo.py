"""How long the demo takes once everything is set up: what a second run of the command costs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from ..benches import Settings
from ..bootstrap.errors import Refusal
from ..bootstrap.places import ROOT
from ..figures.intervals import t_figure
from ..figures.verdict import Figure, Row


def rows(settings: Settings) -> list[Row]:
    """The whole command, and the part of it that looks whether anything is left to set up."""
    runs = 4 if settings.quick else 8
    return [
        Row("second run of demo.py, start to contact sheet", "s", lambda: time_demo(settings, runs), bound=30.0),
        Row("of which: nothing left to set up", "s", lambda: time_check(settings, runs), bound=3.0),
    ]


def time_demo(settings: Settings, runs: int) -> Figure:
    """Wall time of the command, each run into a fresh folder."""
    command = [sys.executable, str(ROOT / "scripts" / "demo.py")]
    if not settings.installation.private:
        command += ["--comfyui", str(settings.installation.comfyui)]
    seconds = []
    for i in range(runs):
        settings.console.status(f"  run {i + 1} of {runs}")
        with tempfile.TemporaryDirectory() as out:
            begun = time.perf_counter()
            ended = subprocess.run([*command, "--out", out], capture_output=True, text=True)
            seconds.append(time.perf_counter() - begun)
        if ended.returncode:
            raise Refusal(f"The demo failed:\n{ended.stdout}{ended.stderr}")
    return t_figure(seconds)


def time_check(settings: Settings, runs: int) -> Figure:
    """Wall time of a set-up with nothing to do."""
    from ..bootstrap.private_host import set_up

    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        set_up(settings.places, settings.console, tools_only=not settings.installation.private)
        seconds.append(time.perf_counter() - begun)
    return t_figure(seconds)
