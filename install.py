"""Install OpenCV and ONNX Runtime where they are missing; node managers run this after requirements.txt.

Several packages bring the same module (opencv-python, -headless and -contrib all own cv2; onnxruntime, -gpu and
-directml all own onnxruntime), and one installed over another breaks both. So nothing is installed for a module that
imports, or that an installed package owns, and every version that is installed stays as it is: pip gets all of them as
constraints. By hand: run this file with ComfyUI's own Python, as the node Doctor says.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path

# Module, the package to install for it, and every package that owns the module.
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
RUNTIMES = tuple(f"onnxruntime{kind}" for kind in ("", "-gpu", "-directml", "-openvino", "-rocm", "-migraphx", "-qnn"))
OWNERS = {"cv2": OPENCV, "onnxruntime": RUNTIMES}


def package_for(module: str, system: str = sys.platform, machine: str | None = None) -> str:
    """What to install: OpenCV without windows, which needs no libGL; ONNX Runtime for GPUs where that has wheels."""
    if module == "cv2":
        return "opencv-python-headless"
    has_gpu_wheels = (system, machine or platform.machine()) in (("linux", "x86_64"), ("win32", "AMD64"))
    return "onnxruntime-gpu" if has_gpu_wheels else "onnxruntime"


def import_error(module: str) -> str | None:
    """Why a module cannot be imported, by importing it in a process of its own; None where it can."""
    code = f"import sys; sys.path = [place for place in sys.path if place]; import {module}"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=tempfile.gettempdir())
    if ended.returncode == 0:
        return None
    return (ended.stderr.strip().splitlines() or [f"status {ended.returncode}"])[-1]


def installed() -> dict[str, str]:
    """Every installed distribution in pip's spelling, with its version."""
    found: dict[str, str] = {}
    for part in metadata.distributions():  # in the order of sys.path: the first of a name is the one that is imported
        name, version = part.metadata["Name"], part.version
        if name and version:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return found


def wanted(found: dict[str, str]) -> tuple[list[str], list[str]]:
    """Packages to install, and sentences about modules that an installed package owns and that cannot be imported."""
    packages, sentences = [], []
    for module, owners in OWNERS.items():
        error = import_error(module)
        there = [name for name in owners if name in found]
        if error is None:
            continue
        if there:
            sentences.append(
                f"{' and '.join(there)} is installed, but `import {module}` fails: {error}. Nothing is installed over "
                f"it. Uninstall it ({sys.executable} -m pip uninstall {' '.join(there)}) and run this again."
            )
        else:
            packages.append(package_for(module))
    return packages, sentences


def installer() -> list[str] | None:
    """The beginning of a command that installs into this Python: its own pip, else uv; None without either."""
    if util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--python", sys.executable] if uv else None


def install(packages: Sequence[str], found: dict[str, str]) -> int:
    """Install wheels only, with every installed version as a constraint; the exit status of the installer."""
    command = installer()
    if command is None:
        print("Troupe: this Python has neither pip nor uv. Install one of them, then run this again.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "installed.txt")
        lines = [f"{name}=={version}\n" for name, version in sorted(found.items()) if version[:1].isdigit()]
        constraints.write_text("".join(lines), encoding="utf-8")
        binary = [part for package in packages for part in ("--only-binary", package)]
        return subprocess.run([*command, *binary, "--constraint", str(constraints), *packages]).returncode


def main() -> int:
    """Install what is missing; exit status 0 where nothing is left to do."""
    found = installed()
    packages, sentences = wanted(found)
    for sentence in sentences:
        print(f"Troupe: {sentence}", file=sys.stderr)
    if packages:
        print(f"Troupe: installing {' and '.join(packages)}; no installed package changes its version.")
        if install(packages, found):
            print(f"Troupe: {' and '.join(packages)} could not be installed; see above.", file=sys.stderr)
            return 1
    elif not sentences:
        print("Troupe: OpenCV and ONNX Runtime can be imported; nothing to install.")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
