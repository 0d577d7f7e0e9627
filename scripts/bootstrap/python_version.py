"""Which Pythons can run ComfyUI with the PyTorch that is pinned here."""

from __future__ import annotations

import platform
import sys

from .errors import Refusal

OLDEST = (3, 10)
NEWEST = (3, 13)


def check_python(version: tuple[int, int] | None = None, executable: str | None = None) -> None:
    """Raise Refusal unless `version` (by default this interpreter's) is one for which PyTorch 2.11 has wheels."""
    found = tuple(version or sys.version_info[:2])
    if not OLDEST <= found <= NEWEST:
        raise Refusal(
            f"This is Python {'.'.join(map(str, found))} ({executable or sys.executable}), and ComfyUI with PyTorch "
            f"2.11 needs Python {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}. "
            "Run the same command with one of those, for instance python3.12."
        )
    if sys.maxsize < 2**32:
        raise Refusal(
            f"This is a 32-bit Python ({platform.machine()}), for which there is no PyTorch. Install a 64-bit one."
        )
