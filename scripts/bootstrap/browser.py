"""The browser that drives the tests of the web widgets: the system's, installed where that needs no asking."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .console import Console

# Headless, without the services a browser brings along, without a graphics card, and with no way out of this machine.
FLAGS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """A Chromium on the path."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


def ensure_browser(console: Console) -> str | None:
    """Find a Chromium; on a Debian, running as root, install it. Without one its tests say that they cannot run."""
    if find_browser() is None and Path("/etc/debian_version").exists() and os.geteuid() == 0:
        console.say("Installing chromium for the browser tests (apt-get).")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], env=environment, **quiet)
        install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        subprocess.run(install, env=environment, **quiet)
    return find_browser()
