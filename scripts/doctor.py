"""Say what this pack finds: model files and what they are, what is missing and where it goes, packages, providers.

Looks at the ComfyUI that this folder lies in (in its custom_nodes), at --comfyui PATH, or at the private one where
demo.py has set that up. Nothing is set up, installed or changed. The node Doctor says the same, from inside ComfyUI.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation, named_installation, private_installation
from pack.scripts.bootstrap.places import ROOT, places


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", metavar="COMFYUI", help=argparse.SUPPRESS)
    parser.add_argument("--base", metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--comfyui", metavar="PATH", type=Path, help="the folder with ComfyUI's main.py")
    return parser.parse_args()


def surrounding(root: Path = ROOT) -> Path | None:
    """The folder in whose custom_nodes this one lies, or None. ComfyUI Desktop keeps models there, and main.py not."""
    return root.parent.parent if root.parent.name == "custom_nodes" else None


def chosen(comfyui: Path | None, around: Path | None) -> Installation:
    """The ComfyUI to look at. Raises Refusal, saying what to add, where there is none."""
    if comfyui is None and around is not None and (around / "main.py").is_file():
        comfyui = around
    if comfyui is not None:
        return named_installation(comfyui, places(), beside=[around] if around else [])
    private = private_installation(places())
    if around is None and private.python.is_file() and (private.comfyui / "main.py").is_file():
        return private
    where = f"There is no main.py in {around}" if around else f"{ROOT} does not lie in a ComfyUI's custom_nodes"
    raise Refusal(
        f"{where}, so it is not known which ComfyUI to look at. Name the folder that holds main.py: "
        "python scripts/doctor.py --comfyui PATH (of ComfyUI Desktop: resources/ComfyUI below the program). The node "
        "Doctor says the same without any of this: add it to a graph and run it."
    )


def hand_over(installation: Installation, around: Path | None) -> int:
    """Run this command again with the Python that runs that ComfyUI."""
    command = [str(installation.python), __file__, "--inside", str(installation.comfyui)]
    if around is not None and (around / "models").is_dir():
        command += ["--base", str(around)]
    variables = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env={**os.environ, **variables}).returncode


def main() -> int:
    options = parse()
    if options.inside:
        module = importlib.import_module("pack.scripts.showing.doctor")
        sys.stdout.write(module.report_on(Path(options.inside), Path(options.base) if options.base else None))
        return 0
    around = surrounding()
    return hand_over(chosen(options.comfyui, around), around)


if __name__ == "__main__":
    run(main)
