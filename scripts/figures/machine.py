"""What the figures of a run were measured on: processor, cores and versions; nothing that names the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")


def machine() -> dict[str, str | int]:
    """Plain data for the JSON of a bench."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python": platform.python_version(),
        "torch": version_of("torch"),
    }


def processor() -> str:
    """The processor's trade name where the system tells it, else its architecture."""
    if CPU_FACTS.exists():
        for line in CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def version_of(package: str) -> str:
    """The installed version, or a dash."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"
