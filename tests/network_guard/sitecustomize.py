"""No way out of this machine: a Python that starts with this folder on PYTHONPATH reaches loopback addresses only.

Tests import it too. Each attempt fails as it would without a route, and is noted in the file TROUPE_NETWORK_ATTEMPTS.
"""

import errno
import ipaddress
import os
import socket

real_connect, real_connect_ex, real_getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def is_local(host: object) -> bool:
    """Loopback addresses and their names; None and the empty name mean this machine as well."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "ip6-localhost", "0.0.0.0", "::", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(name).split("%")[0]).is_loopback
    except ValueError:
        return False


def note(target: object) -> None:
    """Write down who wanted to go where."""
    file = os.environ.get("TROUPE_NETWORK_ATTEMPTS")
    if file:
        with open(file, "a", encoding="utf-8") as attempts:
            attempts.write(f"{target}\n")


def leaves_the_machine(sock: socket.socket, address: object) -> bool:
    """True for an internet address that is not this machine's."""
    internet = sock.family in (socket.AF_INET, socket.AF_INET6)
    if internet and isinstance(address, tuple) and not is_local(address[0]):
        note(address)
        return True
    return False


def connect(sock, address):
    if leaves_the_machine(sock, address):
        raise OSError(errno.ENETUNREACH, "Network is unreachable (tests run without a network)")
    return real_connect(sock, address)


def connect_ex(sock, address):
    return errno.ENETUNREACH if leaves_the_machine(sock, address) else real_connect_ex(sock, address)


def getaddrinfo(host, *rest, **named):
    if not is_local(host):
        note(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known (tests run without a network)")
    return real_getaddrinfo(host, *rest, **named)


socket.socket.connect = connect
socket.socket.connect_ex = connect_ex
socket.getaddrinfo = getaddrinfo
