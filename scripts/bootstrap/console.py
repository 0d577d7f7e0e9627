"""What the scripts show while they work: lines that stay, and one line that is rewritten where there is a terminal."""

from __future__ import annotations

import shutil
import sys
import time


class Console:
    """Writes to standard output. Without a terminal the moving line becomes an ordinary one every `every` seconds."""

    def __init__(self, every: float = 15.0):
        self.moving = False
        self.every = every
        self.last = 0.0

    def say(self, text: str = "") -> None:
        """A line that stays."""
        self.clear()
        print(text, flush=True)

    def status(self, text: str) -> None:
        """A line that the next one replaces."""
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            print("\r\033[K" + text[:width], end="", flush=True)
            self.moving = True
        elif time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            print(text, flush=True)

    def clear(self) -> None:
        """Take the moving line away."""
        if self.moving:
            print("\r\033[K", end="", flush=True)
            self.moving = False
