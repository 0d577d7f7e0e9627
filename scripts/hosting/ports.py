"""Ports on this machine: a free one, or the one that was asked for if it is free."""

from __future__ import annotations

import os
import socket

from ..bootstrap.errors import Refusal

ADDRESS = "127.0.0.1"
USUAL = 8188


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        if os.name != "nt":  # there it would allow to take a port in use; here it forgives one that was just closed
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None = None) -> int:
    """`wanted` if it is free, else Refusal; without a wish any free port."""
    if wanted is None:
        with socket.socket() as probe:
            probe.bind((ADDRESS, 0))
            return probe.getsockname()[1]
    if not 0 < wanted < 65536 or not is_free(wanted):
        raise Refusal(
            f"Port {wanted} is taken by another program (or may not be used). "
            "Name another one with --port, or leave --port out, and a free one is chosen."
        )
    return wanted
