"""Write into every workflow what templates carry: addresses of files, a note, the Doctor, a readable view.

Run it after a change of nodes/host/model_files.py, of a workflow, or of scripts/showing/templates.py. Needs the private
ComfyUI, or the one at --comfyui PATH, which is not changed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.places import ROOT, places


def write_all(comfyui: Path) -> None:
    """Bring every workflow up to date, in a process that has the host."""
    importlib.import_module("pack.scripts.hosting.in_process").import_host(comfyui)
    dressed = importlib.import_module("pack.scripts.showing.templates").dressed
    for path in sorted((ROOT / "workflows").glob("*.json")):
        before = path.read_text(encoding="utf-8")
        after = json.dumps(dressed(path.stem, json.loads(before)), indent=1) + "\n"
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            sys.stdout.write(f"{path}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", type=Path, metavar="COMFYUI", help=argparse.SUPPRESS)
    add_host_option(parser)
    options = parser.parse_args()
    if options.inside:
        write_all(options.inside)
        return 0
    installation = ready_installation(options.comfyui, places(), Console())
    return subprocess.run([str(installation.python), __file__, "--inside", str(installation.comfyui)]).returncode


if __name__ == "__main__":
    run(main)
