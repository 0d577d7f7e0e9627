"""The doctor's report on a ComfyUI, made in its own Python without starting its server."""

from __future__ import annotations

from pathlib import Path

from ..hosting.in_process import import_host


def report_on(comfyui: Path, base: Path | None = None) -> str:
    """The report (see nodes/host/doctor/doctor.py), with the folders that `extra_model_paths.yaml` adds.

    base : where models and custom_nodes lie, if not beside main.py (ComfyUI Desktop)
    """
    import_host(comfyui, base=base)  # on the CPU, whatever there is: torch still says which GPU it sees
    extra = comfyui / "extra_model_paths.yaml"
    if extra.is_file():
        from utils.extra_config import load_extra_path_config

        load_extra_path_config(str(extra))
    from ...nodes.host.doctor.doctor import report

    return report()
