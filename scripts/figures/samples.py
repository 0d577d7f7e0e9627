"""What a bench found picture by picture, kept so that an interrupted run goes on and rows share what one drew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Values = dict[str, list[float]]


class Samples:
    """Lists of numbers by name in one file, a JSON line each; lines with another key are of another state."""

    def __init__(self, file: Path, key: str):
        self.file = file
        self.key = key
        self.found = self._read()

    def get(self, name: str, measure: Callable[[], Values]) -> Values:
        """What was found under this name; measured now, and kept, when it was not."""
        if name not in self.found:
            self.found[name] = measure()
            self._add(name, self.found[name])
        return self.found[name]

    def clear(self) -> None:
        """Forget everything."""
        self.found = {}
        self.file.unlink(missing_ok=True)

    def _read(self) -> dict[str, Values]:
        found = {}
        for line in self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:  # cut off by a kill
                continue
            if entry.get("key") == self.key:
                found[entry["name"]] = entry["values"]
        return found

    def _add(self, name: str, values: Values) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": self.key, "name": name, "values": values})
        with open(self.file, "a", encoding="utf-8") as file:
            # After a line that a kill cut off, the leading line break starts a fresh one.
            file.write(("\n" if file.tell() else "") + line)
