"""Draw README's picture of a workflow in the editor, docs/graph.png: a real ComfyUI, a headless Chromium, after a run.

`--workflow FILE` and `--out FILE` show another one; `--nodes2` takes the renderer Nodes 2.0.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import ready_installation
from pack.scripts.bootstrap.browser import ensure_browser
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT, places
from pack.scripts.hosting.server import Server

WORKFLOW = ROOT / "workflows" / "10 Two people, wired by hand.json"
PICTURE = ROOT / "docs" / "graph.png"
WIDTH = 2300


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workflow", type=Path, default=WORKFLOW, metavar="FILE", help="show this workflow")
    parser.add_argument("--out", type=Path, default=PICTURE, metavar="FILE", help="write to this PNG file")
    parser.add_argument("--width", type=int, default=WIDTH, metavar="PIXELS")
    parser.add_argument("--nodes2", action="store_true", help="in the renderer Nodes 2.0")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def hand_over(installation: Installation) -> int:
    """Run this command again with the Python that has Playwright."""
    command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
    return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}).returncode


def main() -> int:
    options, console = parse(), Console()
    installation = ready_installation(None, places(), console)
    if not options.inside:
        return hand_over(installation)
    browser = ensure_browser(console)
    if browser is None:
        raise Refusal("There is no Chromium on the path, in which the editor could be shown. Install one.")
    showing = importlib.import_module("pack.scripts.showing.graph_picture")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Server(installation, Path(folder), variables={"OMP_NUM_THREADS": "1"}) as server,
    ):
        picture = showing.graph_picture(server, browser, options.workflow, options.width, options.nodes2)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(options.out, optimize=True)
    console.say(f"{options.out}: {picture.width} x {picture.height}, {options.out.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    run(main)
