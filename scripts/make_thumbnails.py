"""Draw the thumbnails of the demo's workflows again, by running them: `make_thumbnails.py [NAME...]`, or all of them.

`14 Recipes side by side` has its own by make_sample_pictures.py --comparison. Workflows for checkpoints that do not
ship have drawn ones.
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
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.places import ROOT, places
from pack.scripts.hosting.server import Server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a workflow, such as '13 Where each person acted'")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options, console = parser.parse_args(), Console()
    installation = ready_installation(None, places(), console)
    if not options.inside:
        command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
        return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}).returncode
    thumbnails = importlib.import_module("pack.scripts.showing.thumbnails")
    unknown = [name for name in options.names if name not in thumbnails.SHOWN]
    if unknown:
        raise Refusal(f"No thumbnail is made of {', '.join(unknown)}. There are: {', '.join(thumbnails.SHOWN)}.")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Server(installation, Path(folder), variables={"OMP_NUM_THREADS": "1"}) as server,
    ):
        for name in options.names or thumbnails.SHOWN:
            file = ROOT / "workflows" / f"{name}.json"
            console.status(f"running {file.name}")
            thumbnails.draw_thumbnail(server.client, file).save(file.with_suffix(".jpg"), quality=88, optimize=True)
            console.say(str(file.with_suffix(".jpg")))
    return 0


if __name__ == "__main__":
    run(main)
