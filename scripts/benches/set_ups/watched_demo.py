"""`python scripts/demo.py` in a folder of its own, with the time of every line that it prints, and how to kill it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...bootstrap.places import ROOT, Places

STEP = re.compile(r"\[(\d+)/(\d+)\] (.+)")
FINISHED = re.compile(r"Set up in \d+ s\.")
POLITE_SECONDS = 30


@dataclass(frozen=True)
class Moment:
    """When a set-up is to be killed: so many seconds after the step of that number (from 1) began."""

    step: int
    after: float


class WatchedDemo:
    """A demo at work, as the leader of a process group; leaving the context ends it.

    home  : what TROUPE_HOME names
    lines : what it printed so far, each with the seconds since it began
    """

    def __init__(self, home: Path, out: Path) -> None:
        self.lines: list[tuple[float, str]] = []
        self._begun = time.monotonic()
        temporary = temporary_files(home)
        temporary.mkdir(parents=True, exist_ok=True)
        # As a fresh clone starts it: by the Python that environments are made of, from outside of any of them.
        python = getattr(sys, "_base_executable", None) or sys.executable
        self._process = subprocess.Popen(
            [python, str(ROOT / "scripts" / "demo.py"), "--out", str(out)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "TROUPE_HOME": str(home), "TMPDIR": str(temporary), "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.append((time.monotonic() - self._begun, line.rstrip("\n")))

    def step(self) -> tuple[int, float]:
        """The step that it began last and when; (0, 0.0) before the first."""
        begun = [(int(found[1]), at) for at, line in list(self.lines) if (found := STEP.match(line))]
        return begun[-1] if begun else (0, 0.0)

    def wait(self, status: Callable[[str], None]) -> int:
        """Wait for its end and return its exit status."""
        while self._process.poll() is None:
            status(self.lines[-1][1].strip() if self.lines else "starting")
            time.sleep(0.2)
        self._reader.join()
        return self._process.returncode

    def killed_at(self, moment: Moment) -> bool:
        """Kill the whole group at a moment, or as soon as a later step has begun; False where it ended before."""
        while self._process.poll() is None:
            number, at = self.step()
            if number > moment.step or (number == moment.step and self.seconds() - at >= moment.after):
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                self._reader.join()
                return True
            time.sleep(0.02)
        self._reader.join()
        return False

    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._begun

    def __enter__(self) -> WatchedDemo:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()  # it stops its pip and its server itself
            try:
                self._process.wait(POLITE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


def temporary_files(home: Path) -> Path:
    """Where it is told to put temporary files, so that forgotten ones are found."""
    return home / "temporary"


def working_folder(home: Path) -> Places:
    """What it sets up, as scripts.bootstrap.places reads TROUPE_HOME."""
    return Places(home.resolve() / ".troupe")


def step_seconds(lines: Sequence[tuple[float, str]]) -> dict[str, float]:
    """How long each step of a whole set-up took, by its title, in order; from the lines of a WatchedDemo."""
    begun = [(at, found[3]) for at, line in lines if (found := STEP.match(line))]
    end = next((at for at, line in lines if FINISHED.match(line)), lines[-1][0] if lines else 0.0)
    ends = [at for at, _ in begun[1:]] + [end]
    return {title: until - at for (at, title), until in zip(begun, ends, strict=True)}
