"""Finished rows, kept so that an interrupted bench goes on: one JSON line each, valid for one state of the pack."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from .verdict import Figure

# What a figure may depend on.
PARTS = (
    "__init__.py",
    "attention",
    "demo",
    "face",
    "measure",
    "nodes",
    "scripts",
    "workflows",
    "requirements.txt",
    "install.py",
)


def tree_key(root: Path, *settings: object) -> str:
    """A key of the pack's files under `root` and of the settings of a run."""
    digest = hashlib.sha256(repr(settings).encode())
    for path in sorted(path for part in PARTS for path in files_below(root / part)):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files_below(path: Path) -> list[Path]:
    """The files of a part, without caches and hidden ones."""
    if path.is_file():
        return [path]
    found = []
    for parent, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return found


class Store:
    """The finished rows of one bench in one file; rows with another key are of another state and do not count."""

    def __init__(self, file: Path, key: str):
        self.file = file
        self.key = key

    def read(self) -> dict[str, Figure]:
        """Row name to figure. A line cut off by a kill is passed over."""
        kept: dict[str, Figure] = {}
        for line in self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("key") == self.key:
                kept[entry["name"]] = Figure(**entry["figure"])
        return kept

    def add(self, name: str, figure: Figure) -> None:
        """Append one row."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": self.key, "name": name, "figure": asdict(figure)})
        with open(self.file, "a", encoding="utf-8") as file:
            # After a line that a kill cut off, the leading line break starts a fresh one.
            file.write(("\n" if file.tell() else "") + line)

    def clear(self) -> None:
        """Forget everything."""
        self.file.unlink(missing_ok=True)
