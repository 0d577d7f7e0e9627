"""Run a command in a network namespace with nothing but the loopback device: `without_a_route.py COMMAND...`.

Exit status 77 when the system does not permit that (no Linux, or a container without the right).
"""

import ctypes
import os
import socket
import struct
import sys

NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000
SET_FLAGS, UP = 0x8914, 0x1
NOT_PERMITTED = 77


def leave_the_network() -> bool:
    """Move this process to an empty network namespace and bring its loopback device up; whether that worked."""
    try:
        import fcntl

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEW_NETWORK) and libc.unshare(NEW_USER | NEW_NETWORK):
            return False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            fcntl.ioctl(device, SET_FLAGS, struct.pack("16sh", b"lo", UP))
    except (AttributeError, ImportError, OSError):
        return False
    return True


if __name__ == "__main__":
    if not leave_the_network():
        sys.exit(NOT_PERMITTED)
    os.execvp(sys.argv[1], sys.argv[1:])
