"""Pack what a machine without network needs for `bench.py accelerator` into one archive, and say its size.

In it: this pack without weights and pictures, the source of ComfyUI, the Python packages that a run of the bench
imports, and run.sh, which starts the bench with all of these. The machine has to have Python and PyTorch. `--there`
names a file with what else it has, as `pip list` prints it there: of that nothing is packed. Compiled packages serve
the same system and the same Python alone; with another one, say which by `--python 3.12`: they are named instead, and
come from `--wheels DIR`, where `pip download --only-binary=:all: --python-version 3.12 -d DIR NAME` puts them.

    python scripts/pack_bench.py --there there.txt
    tar xf bare.tar.xz && sh bare/run.sh --json rows.json      on that machine
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.places import places
from pack.scripts.hosting.bare_archive import MOST, OUT, pack


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--there", type=Path, metavar="FILE", help="packages that the machine has, a line each")
    parser.add_argument("--python", metavar="VERSION", help="of the machine, such as 3.12; this one's by default")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="take these packages from wheels for the machine")
    parser.add_argument("--out", type=Path, metavar="DIR", default=OUT, help=f"where to; {OUT.name} by default")
    parser.add_argument("--most", type=float, metavar="MIB", default=MOST, help=f"refuse beyond it; {MOST} by default")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    add_host_option(parser)
    options, console = parser.parse_args(), Console()
    installation = ready_installation(options.comfyui, places(), console)
    if not options.inside:
        command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
        return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1"}).returncode
    pack(options, installation, console)
    return 0


if __name__ == "__main__":
    run(main)
