"""Take away everything that a set-up made."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from .disk import GB, size_of
from .errors import Refusal
from .link import is_link, remove_link
from .lock import Lock
from .places import PACK_FOLDER, Places

TRAINING = "train"  # where demo/train keeps what it needs to resume


def remove(places: Places) -> str:
    """Remove the working folder and say how much that freed; training checkpoints, hours of work, stay.

    Raises Refusal while a set-up is at work in the folder.
    """
    if not places.home.exists():
        return f"Nothing to remove: there is no {places.home}."
    for path in (places.lock, places.pip_lock):
        lock = Lock(path)
        if not lock.try_acquire():
            raise Refusal(f"A set-up is at work in {places.home}. Wait until it has finished, then run again.")
        lock.release()
    for path in places.home.glob("demo*.lock"):
        lock = Lock(path)
        if not lock.try_acquire():
            raise Refusal(f"A demo is running in {places.home}. End it (Ctrl-C), then run again.")
        lock.release()
    # First the links, so that nothing that walks the tree can go through one to this repository.
    for folders in ("*", "hosts/*/ComfyUI"):
        for link in places.home.glob(f"{folders}/custom_nodes/{PACK_FOLDER}*"):
            if is_link(link):
                remove_link(link)
    training = places.home / TRAINING
    rest = [path for path in places.home.iterdir() if path != training]
    freed = (size_of(places.home) - size_of(training)) / GB
    for path in rest:
        shutil.rmtree(path, onerror=make_writable) if path.is_dir() else path.unlink()
    if training.exists():
        return f"Freed {freed:.1f} GB. The training checkpoints in {training} are still there: delete them by hand."
    places.home.rmdir()
    return f"Removed {places.home}, which freed {freed:.1f} GB."


def make_writable(function, path: str, error) -> None:
    """Windows does not delete read-only files; make them writable and try once more."""
    if not os.access(path, os.W_OK) and Path(path).exists():
        os.chmod(path, stat.S_IWUSR)
        function(path)
    else:
        raise error[1]
