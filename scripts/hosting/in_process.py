"""The real ComfyUI in this process: its modules importable, its arguments those of a quiet host."""

from __future__ import annotations

import sys
from pathlib import Path


def import_host(comfyui: Path, cpu: bool = True, base: Path | None = None) -> None:
    """Make the host's modules importable here. It reads its arguments once, when it is first imported.

    comfyui : the folder that holds main.py
    cpu     : keep off any accelerator
    base    : the folder with models and custom_nodes, by default that of main.py
    """
    # First on the path: other folders on it, this repository for one, have a `nodes` of their own.
    sys.path.insert(0, str(comfyui))
    device = ["--cpu"] if cpu else []
    device += ["--base-directory", str(base)] if base else []
    argv, sys.argv = sys.argv, ["main.py", "--use-pytorch-cross-attention", "--disable-api-nodes", *device]
    try:
        import comfy.options

        comfy.options.enable_args_parsing()
        import comfy.cli_args
    finally:
        sys.argv = argv
