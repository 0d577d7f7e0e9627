"""What pip's words mean for the person who waits for it."""

from __future__ import annotations

import re

NO_NETWORK = re.compile(
    r"Failed to establish a new connection|NewConnectionError|name resolution|getaddrinfo failed|Network is unreachable"
    r"|No route to host|Connection refused|ConnectTimeoutError|Read timed out|ReadTimeoutError|RemoteDisconnected"
    r"|Connection reset|ProxyError|nodename nor servname|No address associated",
    re.IGNORECASE,
)
DISK_FULL = re.compile(
    r"No space left on device|Errno 28|not enough space on the disk|Disk quota exceeded", re.IGNORECASE
)
BAD_HASH = re.compile(r"DO NOT MATCH THE HASHES|hash mismatch", re.IGNORECASE)
BAD_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|SSLError", re.IGNORECASE)
NOT_FOUND = re.compile(r"No matching distribution found for ([^\s(]+)")
MOVING = re.compile(r"^\s*(Collecting|Downloading|Installing collected|Building|Preparing|Using cached)\b(.*)")


def explain(log: str, log_file: str) -> str:
    """One sentence on why a pip run with this output failed, with what to do."""
    again = "then run the same command again; it goes on where it stopped."
    if DISK_FULL.search(log):
        return f"The disk is full. Free some space, {again}"
    if BAD_HASH.search(log):
        return (
            "A downloaded archive is not the one this pack was tested with (its hash differs), so it was refused. "
            f"Check the package index that pip is configured with; the log is {log_file}."
        )
    if BAD_CERTIFICATE.search(log):
        return f"The package index could not be reached securely: its certificate was not accepted. Check that, {again}"
    if NO_NETWORK.search(log):
        return f"The package index could not be reached. Check the network connection, {again}"
    missing = NOT_FOUND.search(log)
    if missing:
        return f"The package index has no {missing[1]} for this Python and system. See {log_file}."
    errors = [line.strip() for line in log.splitlines() if line.lstrip().startswith("ERROR")]
    return f"pip failed: {errors[-1] if errors else 'it gave no reason'} The whole log is {log_file}."


def progress(log: str) -> str:
    """The last line of a pip log that says what it is doing, or an empty text."""
    for line in reversed(log.splitlines()):
        found = MOVING.match(line)
        if found and found[1].startswith("Installing"):
            return f"Installing {found[2].count(',') + 1} packages"
        if found:
            return (found[1] + found[2]).split(" (from ")[0].strip()
    return ""
