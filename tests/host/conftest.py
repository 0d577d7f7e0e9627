"""The real ComfyUI for the tests beside this file: importable in this process, and as a server of its own."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def host_folder() -> Path:
    """Where the real ComfyUI lies: TROUPE_COMFYUI, else the private copy. Its absence is a failure, never a skip."""
    folder = Path(os.environ.get("TROUPE_COMFYUI") or ROOT / ".troupe" / "ComfyUI").resolve()
    if not (folder / "comfy" / "model_patcher.py").is_file():
        pytest.fail(f"No ComfyUI at {folder}. Run scripts/test.py, which sets one up.", pytrace=False)
    return folder


def import_host() -> None:
    """Make the host's modules importable here, on the CPU; it reads its arguments when first imported."""
    folder = host_folder()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    argv, sys.argv = sys.argv, ["main.py", "--cpu", "--use-pytorch-cross-attention", "--disable-api-nodes"]
    try:
        import comfy.options

        comfy.options.enable_args_parsing()
        import comfy.cli_args
    finally:
        sys.argv = argv


import_host()
