"""What the doctor says of Python packages: what is there, what clashes, and where faces can be analysed."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

import comfyui_version
import torch

from ....face.needs import broken, line_to_type, missing
from ....face.onnx_engine import gpu_present
from ....face.providers import CHOICES, available_providers, cause, providers_for

NEEDED = {"scipy": "matches faces", "matplotlib": "draws heat maps of scores"}
REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements.txt"
BY_HAND = f'Type: "{sys.executable}" -m pip install -r "{REQUIREMENTS}"'
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
RUNTIME = "onnxruntime"


def package_lines() -> list[str]:
    """Versions, then a line that begins with ! for everything that is missing or clashes."""
    found = installed()
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU seen by torch"
    host, python = f"ComfyUI {comfyui_version.__version__}", f"Python {platform.python_version()}"
    lines = [f"{host}, {python}, torch {torch.__version__} ({device})"]
    lines += [f"{name} {found[name]}" for name in sorted(found) if shown(name)]
    return [*lines, *clashes(found), *([f"! {broken()}"] if not missing() and broken() else [])]


def installed() -> dict[str, str]:
    """Every installed distribution: name in lower case, version."""
    pairs = ((part.metadata["Name"], part.version) for part in metadata.distributions())
    return {name.lower(): version for name, version in pairs if name}


def shown(name: str) -> bool:
    """Whether a package has a say in how faces are analysed."""
    return name.startswith(RUNTIME) or name in (*OPENCV, "insightface", "numpy", "scipy", "safetensors")


def clashes(found: dict[str, str]) -> list[str]:
    """A line for every package that is missing, and for packages that do not get on with each other."""
    lines = []
    runtimes = sorted(name for name in found if name.startswith(RUNTIME) and name != "onnxruntime-extensions")
    opencvs = [name for name in OPENCV if name in found]
    if len(runtimes) > 1:
        lines.append(
            f"! {' and '.join(runtimes)} are installed together and overwrite each other; usually the GPU is lost. "
            "Uninstall all of them, then install the one you want."
        )
    if len(opencvs) > 1:
        lines.append(
            f"! {' and '.join(opencvs)} are installed together and overwrite each other. If importing cv2 fails, "
            "uninstall all of them, then install one."
        )
    lines += [f"! {name} is not installed; it {what}. {BY_HAND}" for name, what in NEEDED.items() if name not in found]
    if not runtimes:
        lines.append(f"! ONNX Runtime is not installed; it finds and describes faces. Type: {line_to_type()}")
    if not opencvs:
        lines.append(f"! OpenCV is not installed; it aligns faces. Type: {line_to_type()}")
    version = found.get("insightface")
    if version is None:
        lines.append("insightface is not installed; it is optional, the built-in library reads the same packs.")
    elif version.split(".")[0] == "0":
        lines.append(
            f"! insightface {version} is compiled against one numpy and fails with another. If it does, "
            " install insightface 2.1, which has nothing to compile, or use the library 'built-in'."
        )
    return lines


def provider_lines() -> list[str]:
    """For every provider whether faces can be analysed on it, and what is in the way."""
    try:
        available = available_providers()
    except ImportError as error:
        return [f"! onnxruntime cannot be imported ({error}), so no face can be analysed. Type: {line_to_type()}"]
    return [f"{choice}: {_state(choice, available)}" for choice in CHOICES if choice != "auto"]


def _state(choice: str, available: list[str]) -> str:
    try:
        name = providers_for(choice, available, gpu_present())[0]
    except RuntimeError:
        return f"no. {cause(choice)}"
    if choice in ("CUDA", "ROCm") and not gpu_present():
        return f"offered by onnxruntime ({name}), but torch sees no GPU of this kind"
    return f"yes ({name})"
