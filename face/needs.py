"""The two packages without which no face can be analysed, which of them are missing, and the line to type."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

NEEDED = {"cv2": "OpenCV", "onnxruntime": "ONNX Runtime"}
INSTALLER = Path(__file__).resolve().parents[1] / "install.py"


def missing() -> list[str]:
    """Names of those that cannot be found; nothing is imported."""
    return [name for module, name in NEEDED.items() if not _found(module)]


def broken() -> str:
    """A sentence on one that is there and cannot be imported (a library of the system is missing, say); else empty."""
    for module, name in NEEDED.items():
        try:
            importlib.import_module(module)
        except (ImportError, AttributeError) as error:  # built for another numpy, it fails in either way
            return (
                f"{name} is installed and cannot be imported ({error}), so no face can be analysed. Type this line, "
                f"which says what to uninstall: {line_to_type()}"
            )
    return ""


def line_to_type() -> str:
    """The command that installs what is missing and changes nothing else."""
    return f'"{sys.executable}" "{INSTALLER}"'


def remedy() -> str:
    """What is missing and what to do about it; empty where nothing is."""
    lacking = missing()
    if not lacking:
        return ""
    return (
        f"{' and '.join(lacking)} cannot be found in ComfyUI's Python, so no face can be analysed. Type this line, "
        f"which changes nothing that is installed, and start ComfyUI again: {line_to_type()}"
    )


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a module that was forbidden, or that another pack replaced
        return False
