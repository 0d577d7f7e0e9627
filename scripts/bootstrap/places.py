"""Where the scripts put things: one folder, `.troupe`, that can be removed as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACK_FOLDER = "ComfyUI-Troupe"


def python_of(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


@dataclass(frozen=True)
class Places:
    """The parts of the working folder `home`."""

    home: Path

    @property
    def venv(self) -> Path:
        """The environment that runs the private ComfyUI, the tests and the benches."""
        return self.home / "venv"

    @property
    def tools(self) -> Path:
        """A small environment beside somebody's own ComfyUI, into which nothing is installed."""
        return self.home / "tools"

    @property
    def comfyui(self) -> Path:
        """The private ComfyUI."""
        return self.home / "ComfyUI"

    @property
    def downloads(self) -> Path:
        """Archives, kept until the host is unpacked."""
        return self.home / "downloads"

    @property
    def logs(self) -> Path:
        """What pip and ComfyUI said."""
        return self.home / "logs"

    @property
    def scratch(self) -> Path:
        """Temporary files of a set-up; emptied whenever one begins."""
        return self.home / "scratch"

    @property
    def lock(self) -> Path:
        """Held while setting up."""
        return self.home / "setup.lock"

    @property
    def pip_lock(self) -> Path:
        """Held by a running pip itself, which outlives a killed set-up."""
        return self.home / "pip.lock"


def places() -> Places:
    """The working folder of this repository, or `.troupe` in the folder that TROUPE_HOME names (another disk, say)."""
    return Places(Path(os.environ.get("TROUPE_HOME") or ROOT).resolve() / ".troupe")
