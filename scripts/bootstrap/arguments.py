"""The option that all commands share, and what it leads to: an installation that is ready to run."""

from __future__ import annotations

import argparse
from pathlib import Path

from .console import Console
from .installation import PACK_NEEDS, Installation, check_packages, named_installation, private_installation
from .places import Places
from .private_host import set_up
from .python_version import check_python


def add_host_option(parser: argparse.ArgumentParser) -> None:
    """`--comfyui PATH`."""
    parser.add_argument(
        "--comfyui",
        metavar="PATH",
        type=Path,
        help="use this ComfyUI with its own Python, not a private copy; nothing is installed into or written to it",
    )


def ready_installation(
    folder: Path | None, places: Places, console: Console, needs: dict[str, str] = PACK_NEEDS
) -> Installation:
    """The private installation, set up if it is not yet; or the named one, checked for the packages it `needs`."""
    check_python()
    if folder is None:
        set_up(places, console)
        return private_installation(places)
    installation = named_installation(folder, places)
    check_packages(installation, needs)
    return installation
