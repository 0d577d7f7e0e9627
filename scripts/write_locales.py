"""Write locales/en from the nodes' schemas, and say what the other languages lack or have too much.

Run it after a change of a node's name, description, inputs, outputs or tooltips, then translate what `git diff locales`
shows. Needs the private ComfyUI, or the one at --comfyui PATH, which is not changed.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.places import places


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", metavar="COMFYUI", help=argparse.SUPPRESS)
    add_host_option(parser)
    options = parser.parse_args()
    if options.inside:
        sys.stdout.write(importlib.import_module("pack.scripts.showing.locales").report_on(Path(options.inside)))
        return 0
    installation = ready_installation(options.comfyui, places(), Console())
    return subprocess.run([str(installation.python), __file__, "--inside", str(installation.comfyui)]).returncode


if __name__ == "__main__":
    run(main)
