"""What a set-up leaves in its folder: its files by size, and whatever should not be there any more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ...bootstrap.lock import Lock
from ...bootstrap.places import Places

OWN_OF_A_RUN = ("logs", "demo")  # what pip and ComfyUI said, and ComfyUI's own folders
ANNOUNCED = re.compile(r"(Setting up|Going on with the set-up) in .+: about [\d.]+ GB to download, [\d.]+ GB on disk")
CLEAR = (
    ANNOUNCED,
    re.compile(r"\[\d+/\d+\] \w"),
    re.compile(r"\s+\d+ s  \w*"),
    re.compile(r"An earlier set-up was cut off; waiting for its pip to end\."),
    re.compile(r"Another set-up is at work in the same folder; waiting until it has finished\."),
    re.compile(r"Set up in \d+ s\."),
)


def files_of(places: Places) -> dict[str, int]:
    """Size of every file below the working folder, links by their target's length, byte code and logs left out."""
    found = {}
    for parent, folders, names in os.walk(places.home):
        folders[:] = [name for name in folders if name != "__pycache__"]
        if Path(parent) == places.home:
            folders[:] = [name for name in folders if name not in OWN_OF_A_RUN]
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for path in (Path(parent, name) for name in (*names, *links)):
            found[path.relative_to(places.home).as_posix()] = os.lstat(path).st_size
    return found


def changed_files(files: dict[str, int], reference: dict[str, int]) -> list[str]:
    """Files that are in one of two set-ups alone, or of another size."""
    return sorted(name for name in files.keys() | reference.keys() if files.get(name) != reference.get(name))


def leftovers(places: Places, temporary: Path) -> list[str]:
    """What a finished set-up should have taken away: scratch, downloads, half packages, locks, temporary files."""
    found = [path for path in (places.scratch, places.downloads) if path.exists()]
    found += [*places.home.glob("*.partial"), *places.home.glob("*.old"), *places.home.glob("*/*.partial")]
    for site in places.venv.glob("lib/python*/site-packages"):
        found += site.glob("~*")
        found += [metadata for metadata in site.glob("*.dist-info") if not (metadata / "RECORD").is_file()]
    found += temporary.iterdir() if temporary.exists() else []
    return [str(path) for path in found] + [f"{path} is held" for path in held(places)]


def held(places: Places) -> list[Path]:
    """The locks that some process still holds."""
    kept = []
    for path in (places.lock, places.pip_lock):
        lock = Lock(path)
        if lock.try_acquire():
            lock.release()
        else:
            kept.append(path)
    return kept


def unclear(lines: Iterable[str]) -> list[str]:
    """The lines of a set-up that are none of its own words; it also has to announce itself."""
    said = []
    for line in lines:
        said.append(line)
        if line.startswith("Set up in"):
            break
    strange = [line for line in said if not any(form.match(line) for form in CLEAR)]
    return strange if any(map(ANNOUNCED.match, said)) else [*strange, "(no word on what it is about to do)"]
