"""How every command ends: a clear sentence and a status, never a traceback for what a person can put right."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable

from .errors import Refusal


def sentence_for(error: OSError) -> str | None:
    """What an error of the operating system means for the person at the keyboard; None if it is a fault of ours."""
    place = f" at {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{place}. Free some space and run the same command again; it goes on where it stopped."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Not allowed to write{place} ({error.strerror}). Run the command from a folder that you own."
    return None


def run(command: Callable[[], int]) -> None:
    """Run `command`, which returns an exit status, and leave the process with that status."""
    # A polite kill, or a terminal that is closed, ends like Ctrl-C, so that a server that was started is stopped too.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        status = command()
    except Refusal as refusal:
        print(f"Troupe: {refusal}", file=sys.stderr)
        status = 1
    except OSError as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        print(f"Troupe: {sentence}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("\nTroupe: stopped. Run the same command again to go on.", file=sys.stderr)
        status = 130
    sys.exit(status)
