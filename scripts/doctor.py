"""Say what this pack finds: model files and what they are, what is missing and where it goes, packages, providers.

Looks at the ComfyUI that this folder lies in (in its custom_nodes), else at the private one, or at --comfyui PATH.
Nothing is installed into it or changed; only the private one is set up where it is not there yet.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT, places


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", metavar="COMFYUI", help=argparse.SUPPRESS)
    add_host_option(parser)
    return parser.parse_args()


def surrounding(root: Path = ROOT) -> Path | None:
    """The ComfyUI in whose custom_nodes this folder lies, or None."""
    home = root.parent.parent
    return home if root.parent.name == "custom_nodes" and (home / "main.py").is_file() else None


def hand_over(installation: Installation) -> int:
    """Run this command again with the Python that runs that ComfyUI."""
    command = [str(installation.python), __file__, "--inside", str(installation.comfyui)]
    variables = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env={**os.environ, **variables}).returncode


def main() -> int:
    options = parse()
    if options.inside:
        module = importlib.import_module("pack.scripts.showing.doctor")
        sys.stdout.write(module.report_on(Path(options.inside)))
        return 0
    folder = options.comfyui or surrounding()
    return hand_over(ready_installation(folder, places(), Console(), needs={}))


if __name__ == "__main__":
    run(main)
