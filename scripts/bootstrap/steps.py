"""Steps of a set-up that may be killed at any moment: each leaves a stamp at its end, and is done again without one."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Console
from .disk import GB, check_disk

MARGIN = 1 * GB


@dataclass(frozen=True)
class Step:
    """One step. Its stamp lies inside what the step makes, so that deleting that deletes the stamp too."""

    title: str
    stamp: Path
    key: str  # from everything the result depends on; a stamp with another key does not count
    do: Callable[[], None]
    download: int = 0  # bytes, for the announcement
    disk: int = 0  # bytes left on the disk afterwards
    working: int = 0  # bytes needed on the disk besides, while it runs
    sound: Callable[[], bool] = lambda: True  # a quick look whether the result still works

    def is_done(self) -> bool:
        """True when the stamp was written for the same key and the result is still sound."""
        try:
            written = self.stamp.read_text(encoding="utf-8")
        except OSError:
            return False
        return written == self.key and self.sound()

    def run(self) -> None:
        """Do it, then write the stamp, in one rename."""
        self.stamp.unlink(missing_ok=True)
        self.do()
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        partial = self.stamp.with_name(self.stamp.name + ".partial")
        partial.write_text(self.key, encoding="utf-8")
        os.replace(partial, self.stamp)


def key_of(*parts: object) -> str:
    """A key from texts and from the contents of files (given as Path)."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.read_bytes().replace(b"\r\n", b"\n") if isinstance(part, Path) else str(part).encode()
        digest.update(len(text).to_bytes(8, "little") + text)
    return digest.hexdigest()


def run_steps(steps: Sequence[Step], home: Path, console: Console) -> None:
    """Announce, check the disk, and do what is not done yet. Raises Refusal when there is too little room."""
    todo = [step for step in steps if not step.is_done()]
    if not todo:
        return
    download, disk = sum(step.download for step in todo), sum(step.disk for step in todo)
    doing = f"Setting up in {home}, once" if len(todo) == len(steps) else f"Going on with the set-up in {home}"
    console.say(
        f"{doing}: about {download / GB:.1f} GB to download, {disk / GB:.1f} GB on disk, "
        "a few minutes. `python scripts/demo.py --remove` takes it away again."
    )
    check_disk(home, disk + max(step.working for step in todo) + MARGIN)
    begun = time.monotonic()
    for number, step in enumerate(steps, 1):
        if not step.is_done():
            console.say(f"[{number}/{len(steps)}] {step.title}")
            step.run()
    console.say(f"Set up in {time.monotonic() - begun:.0f} s.")
