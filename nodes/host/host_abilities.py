"""What an older ComfyUI cannot do for this pack, and packages that are missing, said once when it starts."""

from __future__ import annotations

import importlib.util
import logging

import comfyui_version

from ...face.needs import remedy

log = logging.getLogger(__name__)
DETECTORS = "comfy_extras.nodes_rtdetr"  # ComfyUI's own finders of people, since 0.24.1


def lacking() -> str | None:
    """A sentence about what this ComfyUI has not, or None where it has everything."""
    if importlib.util.find_spec(DETECTORS) is not None:
        return None
    return (
        f"Troupe: this ComfyUI ({comfyui_version.__version__}) has no detector of people, so Score Cast's input "
        "'people' takes boxes from other packs alone; everything else works. ComfyUI 0.24.1 and newer have one."
    )


def say_what_is_lacking() -> None:
    """Write that sentence, and one on missing packages, into ComfyUI's log, where there is one."""
    for sentence in (lacking(), f"Troupe: {remedy()}" if remedy() else None):
        if sentence:
            log.warning(sentence)
