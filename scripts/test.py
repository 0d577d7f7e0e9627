"""Set everything up and run every test, in two processes.

Arguments go to pytest: `python scripts/test.py tests/attention -k masks` runs some of them, in one process.
"""

from __future__ import annotations

import argparse
import os
import subprocess

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.browser import ensure_browser
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.installation import PACK_NEEDS, TEST_NEEDS, Installation
from pack.scripts.bootstrap.older_hosts import newest_front_end
from pack.scripts.bootstrap.places import ROOT, places
from pack.scripts.bootstrap.private_host import set_up

# Each has servers of its own; tests/conftest.py says what stays together.
WHOLE_SUITE = ["-n", "2", "--dist", "loadfile"]


def test_environment(installation: Installation) -> dict[str, str]:
    """What tests run with: the host they test, one thread (two are far slower on a busy machine), no look-ups."""
    settings = {
        "TROUPE_COMFYUI": str(installation.comfyui),
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "Agg",
    }
    if not installation.private:
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**os.environ, **settings}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    add_host_option(parser)
    options, pytest_arguments = parser.parse_known_args()
    console = Console()
    installation = ready_installation(options.comfyui, places(), console, {**PACK_NEEDS, **TEST_NEEDS})
    if options.comfyui:
        set_up(places(), console, tools_only=True)
    if (ROOT / "tests" / "web").is_dir():
        ensure_browser(console)
        if installation.private:
            newest_front_end(places(), console)
    command = [str(installation.python), "-m", "pytest", *(pytest_arguments or WHOLE_SUITE)]
    return subprocess.run(command, cwd=ROOT, env=test_environment(installation)).returncode


if __name__ == "__main__":
    run(main)
