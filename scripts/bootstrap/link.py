"""Link this repository into a `custom_nodes` folder: by a symbolic link, on Windows by a junction (needs no rights)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import Refusal


def is_link(path: Path) -> bool:
    """True for a symbolic link and for a junction (which `Path.is_symlink` does not know)."""
    try:
        os.readlink(path)
    except OSError:
        return False
    return True


def remove_link(path: Path) -> None:
    """Remove a link and never what it points to. A junction goes the way of an empty folder."""
    if os.name == "nt" and path.is_dir():
        os.rmdir(path)
    else:
        os.unlink(path)


def ensure_link(path: Path, target: Path) -> None:
    """Make `path` a link to the folder `target`, whatever link it was. Raises Refusal if a real folder is there."""
    if is_link(path):
        if path.exists() and path.resolve() == target.resolve():
            return
        remove_link(path)
    elif path.exists():
        raise Refusal(f"{path} is a folder of its own where a link to {target} belongs. Move it away and run again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        subprocess.run(["cmd", "/c", "mklink", "/J", str(path), str(target)], check=True, stdout=subprocess.DEVNULL)
    else:
        path.symlink_to(target, target_is_directory=True)
