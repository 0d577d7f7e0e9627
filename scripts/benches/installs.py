"""Python environments as users have them, and what installing this pack changes in what imports there already.

Each variant is a virtual environment of its own with what ComfyUI brings (numpy, scipy, safetensors) and one of the
packages that own cv2 or onnxruntime. Then comes what a node manager does: requirements.txt, then install.py. Counted
are files of packages that were there before and are gone or other, and modules that do not import in the end. pip is
the real one, with whatever cache and index it is configured with; torch is not needed. About 3 GB of disk for the time
of the bench; --quick takes the two variants that went wrong most often.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..bootstrap.places import ROOT, Places, python_of
from ..figures.verdict import Figure, Row
from . import Settings

OLD, NEW = "numpy==1.26.4", "numpy>=2"
VARIANTS = {
    "numpy 1.26 alone": (OLD,),
    "numpy 2 alone": (NEW,),
    "numpy 1.26, OpenCV headless": (OLD, "opencv-python-headless<4.12"),
    "numpy 1.26, OpenCV contrib": (OLD, "opencv-contrib-python<4.12"),
    "numpy 2, OpenCV": (NEW, "opencv-python"),
    "numpy 1.26, OpenCV, onnxruntime": (OLD, "opencv-python<4.12", "onnxruntime"),
    "numpy 2, onnxruntime-gpu": (NEW, "onnxruntime-gpu"),
}
QUICK = ("numpy 1.26, OpenCV contrib", "numpy 1.26, OpenCV, onnxruntime")
HOSTS = ("scipy", "safetensors")
IMPORTED = ("numpy", "scipy.optimize", "matplotlib", "safetensors", "cv2", "onnxruntime")


def rows(settings: Settings) -> list[Row]:
    """Two rows for each variant."""
    home = settings.places.home / "bench" / "installs"

    @cache
    def tried(name: str) -> tuple[list[str], list[str]]:
        gone, broken = trial(Places(home), VARIANTS[name], settings.console.status)
        for line in (*gone[:10], *broken):
            settings.console.say(f"  {name}: {line}")
        return gone, broken

    def counted(name: str, says: str, place: int) -> Row:
        def measure() -> Figure:
            value = len(tried(name)[place])
            return Figure(value, value, value, 1)

        return Row(f"{name}: {says}", "", measure, 0, least_samples=1)

    found = []
    for name in QUICK if settings.quick else VARIANTS:
        found.append(counted(name, "files of packages that were there, gone or changed", 0))
        found.append(counted(name, "modules that do not import afterwards", 1))
    return found


def trial(places: Places, packages: tuple[str, ...], say: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """What changed in an environment with these packages, and what does not import in the end; it is taken away."""
    shutil.rmtree(places.home, ignore_errors=True)
    try:
        say(f"{', '.join(packages)}: an environment with them")
        subprocess.run([sys.executable, "-m", "venv", str(places.venv)], check=True)
        python = str(python_of(places.venv))
        pip = [python, "-m", "pip", "install", "-q"]
        subprocess.run([*pip, *packages, *HOSTS], check=True, capture_output=True)
        before = digests(places.venv)
        say(f"{', '.join(packages)}: requirements.txt and install.py")
        subprocess.run([*pip, "-r", str(ROOT / "requirements.txt")], check=True, capture_output=True)
        subprocess.run([python, str(ROOT / "install.py")], check=True, capture_output=True)
        after = digests(places.venv)
        return changed(before, after), [line for module in IMPORTED if (line := failure(python, module))]
    finally:
        shutil.rmtree(places.home, ignore_errors=True)


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Files that were there before and are gone or other."""
    return sorted(name for name, digest in before.items() if after.get(name) != digest)


def digests(venv: Path) -> dict[str, str]:
    """SHA-256 of every file of installed packages, byte code left out."""
    found = {}
    for site in (*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages")):
        for path in site.rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                found[path.relative_to(site).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def failure(python: str, module: str) -> str:
    """Why a module does not import; empty where it does."""
    ended = subprocess.run([python, "-c", f"import {module}"], capture_output=True, text=True)
    return f"{module}: {(ended.stderr.strip().splitlines() or ['?'])[-1]}" if ended.returncode else ""
