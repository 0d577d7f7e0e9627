"""Set everything up and train the offline world, or a part of it: `python scripts/train_world.py 128 --stages decoder`.

Interrupted, the same command goes on where it stopped. Stages that have no checkpoint start from the shipped weights.
"""

from __future__ import annotations

import argparse
import os
import subprocess

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.installation import PACK_NEEDS, Installation
from pack.scripts.bootstrap.places import ROOT, places

TRAINING_NEEDS = {**PACK_NEEDS, "onnx": "onnx"}
PASSED_ON = """all further arguments go to the training itself (demo/train), the form first:
  FORM              128 is the world that ships, smoke a run of two steps that proves the code
  --stages NAMES    some of the stages, comma-separated, or all
  --publish         copy what is finished to demo/weights
  --compile         compile the step, which pays in long stages
  --steps N, --threads N, --from-scratch, --work DIR, --out DIR, --shipped DIR"""


def training_environment(installation: Installation) -> dict[str, str]:
    """What the training runs with: the host whose model classes it trains, no look-ups."""
    settings = {"TROUPE_COMFYUI": str(installation.comfyui), "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    if not installation.private:
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**os.environ, **settings}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=PASSED_ON,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [-h] [--comfyui PATH] FORM [arguments of the training]",
        allow_abbrev=False,
    )
    add_host_option(parser)
    options, arguments = parser.parse_known_args()
    if not arguments:
        parser.error("say which form of the world, for example 128")
    installation = ready_installation(options.comfyui, places(), Console(), TRAINING_NEEDS)
    command = [str(installation.python), "-m", "demo.train", *arguments]
    return subprocess.run(command, cwd=ROOT, env=training_environment(installation)).returncode


if __name__ == "__main__":
    run(main)
