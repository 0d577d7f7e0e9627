"""How every command ends: a clear sentence and a status, never a traceback for what a person can put right."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from .errors import Refusal


def sentence_for(error: OSError) -> str:
    """What an error of the operating system means for the person at the keyboard."""
    place = f" at {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{place}. Free some space and run the same command again; it goes on where it stopped."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Not allowed to write{place} ({error.strerror}). Run the command from a folder that you own."
    return f"The system refused{place}: {error.strerror or error}."


def run(command: Callable[[], int]) -> None:
    """Run `command`, which returns an exit status, and leave the process with that status."""
    try:
        status = command()
    except Refusal as refusal:
        print(f"Troupe: {refusal}", file=sys.stderr)
        status = 1
    except OSError as error:
        print(f"Troupe: {sentence_for(error)}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("\nTroupe: stopped. Run the same command again to go on.", file=sys.stderr)
        status = 130
    sys.exit(status)
