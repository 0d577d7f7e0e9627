"""Whether the PyTorch of an installation can use an accelerator here; without one ComfyUI needs to be told so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# What the Linux drivers of NVIDIA, AMD, Intel and of Windows' own Linux show; without any of it nobody need be asked.
DRIVER_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dri/renderD128", "/dev/dxg")
QUESTION = (
    "import torch; "
    "others = [getattr(torch, name) for name in ('xpu', 'npu', 'mlu') if hasattr(torch, name)]; "
    "kinds = [torch.cuda, torch.backends.mps, *others]; "
    "raise SystemExit(0 if any(kind.is_available() for kind in kinds) else 3)"
)


def has_accelerator(python: Path) -> bool:
    """Ask the PyTorch of `python`. On a Linux without any driver the answer is known without the seconds that takes."""
    if sys.platform == "linux" and not any(Path(file).exists() for file in DRIVER_FILES):
        return False
    return subprocess.run([str(python), "-c", QUESTION], capture_output=True).returncode == 0
