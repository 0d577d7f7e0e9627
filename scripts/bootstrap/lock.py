"""A lock on a file, freed by the system when its process ends, however it ends. As a script: run a module under a lock.

`python lock.py FILE MODULE ARGUMENTS...` holds FILE while it runs MODULE as `python -m` would. A pip started this way
goes on holding the lock when the set-up that started it was killed, so that no second pip writes beside it.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path


class Lock:
    """`with Lock(path):` waits until no other process holds `path`. `waiting` is called once if it has to wait."""

    def __init__(self, path: Path | str, waiting: Callable[[], None] = lambda: None):
        self.path = Path(path)
        self.waiting = waiting
        self.file = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and say whether it was."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "a+")  # noqa: SIM115 (the open file is the lock; release() closes it)
        try:
            lock_file(file.fileno())
        except OSError:
            file.close()
            return False
        self.file = file
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def __enter__(self) -> Lock:
        if not self.try_acquire():
            self.waiting()
            while not self.try_acquire():
                time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lock_file(descriptor: int) -> None:
    """Lock an open file without waiting. Raises OSError when another process holds it."""
    if os.name == "nt":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def main() -> None:
    """Hold the file named first while running the module named second with the remaining arguments."""
    path, module, *arguments = sys.argv[1:]
    # The folder of this file must not shadow modules of the one that runs next.
    sys.path.pop(0)
    sys.argv = [module, *arguments]
    with Lock(path):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
