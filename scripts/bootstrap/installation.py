"""A ComfyUI and the Python that runs it: the private one, or one that somebody named with --comfyui."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import Refusal
from .places import ROOT, Places, python_of

# Import name and the package that brings it.
PACK_NEEDS = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "safetensors": "safetensors",
    "cv2": "OpenCV",
    "onnxruntime": "ONNX Runtime",
}
BY_INSTALLER = ("cv2", "onnxruntime")  # which install.py brings, because several packages own each
TEST_NEEDS = {
    "pytest": "pytest",
    "xdist": "pytest-xdist",
    "hypothesis": "hypothesis",
    "ruff": "ruff",
    "onnx": "onnx",
    "matplotlib": "matplotlib",
    "playwright": "playwright",
    "comfy_cli": "comfy-cli",
}


@dataclass(frozen=True)
class Installation:
    """Where ComfyUI lies, the Python that runs it, and the Python with the tools that drive it from outside."""

    comfyui: Path
    python: Path
    tools: Path
    private: bool


def private_installation(places: Places) -> Installation:
    """The ComfyUI that these scripts set up."""
    python = python_of(places.venv)
    return Installation(places.comfyui, python, tools=python, private=True)


def named_installation(folder: Path, places: Places, beside: Sequence[Path] = ()) -> Installation:
    """The ComfyUI in `folder` (or `folder/ComfyUI`, as in the portable edition) and its own Python. Raises Refusal.

    beside : further folders beside which its Python may lie
    """
    for candidate in (folder, folder / "ComfyUI"):
        if (candidate / "main.py").is_file() and (candidate / "comfy").is_dir():
            comfyui = candidate.resolve()
            break
    else:
        raise Refusal(
            f"There is no ComfyUI in {folder}: no main.py beside a folder comfy. Name the folder that has both."
        )
    pythons = list(pythons_for(comfyui, beside))
    for python in pythons:
        if missing(python, ["torch"]) == []:
            return Installation(comfyui, python, tools=python_of(places.tools), private=False)
    raise Refusal(
        f"Found no Python with PyTorch for {comfyui}; looked at {', '.join(map(str, pythons)) or 'nothing'}. "
        "Activate the environment in which that ComfyUI runs, so that `python` is its own, and run again."
    )


def pythons_for(comfyui: Path, beside: Sequence[Path] = ()) -> Iterator[Path]:
    """Interpreters that may belong to a ComfyUI, the likeliest first: beside it, on the path, this one."""
    for parent in (*beside, comfyui, comfyui.parent):
        for name in ("venv", ".venv"):
            if python_of(parent / name).is_file():
                yield python_of(parent / name)
        for name in ("python_embeded", "python_embedded"):
            if (parent / name / "python.exe").is_file():
                yield parent / name / "python.exe"
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield Path(sys.executable)


def missing(python: Path, modules: Sequence[str]) -> list[str] | None:
    """Which of `modules` cannot be found by `python`, without importing them; None when it does not run at all."""
    code = (
        "import importlib.util, json, sys; "
        "print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]))"
    )
    try:
        asked = subprocess.run([str(python), "-c", code, *modules], capture_output=True, text=True, cwd=os.path.sep)
    except OSError:
        return None
    return json.loads(asked.stdout) if asked.returncode == 0 else None


def check_packages(installation: Installation, needs: dict[str, str]) -> None:
    """Raise Refusal naming the packages that somebody's own ComfyUI lacks. They are never installed into it."""
    lacking = missing(installation.python, list(needs))
    if lacking is None:
        raise Refusal(f"The Python of that ComfyUI does not run: {installation.python}.")
    if lacking:
        plain = " ".join(needs[name] for name in lacking if name not in BY_INSTALLER)
        commands = [f"`{installation.python} -m pip install {plain}`"] * bool(plain)
        commands += [f"`{installation.python} {ROOT / 'install.py'}`"] * any(name in BY_INSTALLER for name in lacking)
        raise Refusal(
            f"The Python of that ComfyUI ({installation.python}) lacks {', '.join(needs[name] for name in lacking)}. "
            f"Nothing is installed into it from here: install them with {' and '.join(commands)}, or run without "
            "--comfyui."
        )
