"""Run one workflow file on a ComfyUI that is running already, as demo.py does: `run_workflow.py ADDRESS FILE OUT`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.hosting.client import Client
from pack.scripts.showing.run import run_workflow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="such as http://127.0.0.1:8188")
    parser.add_argument("file", type=Path, help="a workflow as the editor saves it, or an API prompt")
    parser.add_argument("out", type=Path, help="the folder to write to")
    options = parser.parse_args()
    for path in run_workflow(Client(options.address), options.file, options.out, Console()):
        print(f"  {path}")
    return 0


if __name__ == "__main__":
    run(main)
