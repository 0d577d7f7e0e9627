"""Where onnxruntime runs a graph: the asked-for execution provider, the CPU always last, and why one is missing."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import metadata

CPU = "CPUExecutionProvider"
PROVIDERS = {
    "CPU": (CPU,),
    "CUDA": ("CUDAExecutionProvider",),
    "ROCm": ("ROCMExecutionProvider", "MIGraphXExecutionProvider"),
    "DirectML": ("DmlExecutionProvider",),
    "CoreML": ("CoreMLExecutionProvider",),
    "OpenVINO": ("OpenVINOExecutionProvider",),
}
# MIGraphX, CoreML and OpenVINO compile a graph for minutes or want fixed sizes: only when asked for.
AUTOMATIC = ("CUDAExecutionProvider", "ROCMExecutionProvider", "DmlExecutionProvider")
NEEDS_TORCHS_GPU = ("CUDAExecutionProvider", "ROCMExecutionProvider")
CHOICES = ("auto", *PROVIDERS)

PACKAGES = {
    "CUDA": "onnxruntime-gpu",
    "ROCm": "onnxruntime-rocm or onnxruntime-migraphx",
    "DirectML": "onnxruntime-directml",
    "CoreML": "onnxruntime on macOS",
    "OpenVINO": "onnxruntime-openvino",
}


def available_providers() -> list[str]:
    """What the installed onnxruntime was built with; ImportError where it cannot be imported."""
    import onnxruntime

    return onnxruntime.get_available_providers()


def providers_for(choice: str, available: Collection[str], gpu: bool) -> list[str]:
    """Providers to ask onnxruntime for, best first, the CPU last.

    choice    : one of CHOICES; 'auto' takes the first of AUTOMATIC that is there and, where torch can tell, has a GPU
    available : what the installed onnxruntime was built with
    gpu       : whether torch sees a GPU by CUDA or ROCm; without one, trying these only fills the console with errors
    Raises ValueError for an unknown choice, RuntimeError, naming the cause, when the chosen one is not available.
    """
    if choice not in CHOICES:
        raise ValueError(f"Unknown provider '{choice}' for the face engine; there are {', '.join(CHOICES)}.")
    wanted = PROVIDERS.get(choice) or [name for name in AUTOMATIC if gpu or name not in NEEDS_TORCHS_GPU]
    chosen = next((name for name in wanted if name in available), None)
    if chosen is None and choice not in ("auto", "CPU"):
        raise RuntimeError(
            f"The face engine was asked to run on {choice}, but the installed onnxruntime offers only "
            f"{', '.join(available)}. {cause(choice)} Or choose the provider 'auto' or 'CPU'."
        )
    return [chosen, CPU] if chosen not in (None, CPU) else [CPU]


def check_started(choice: str, asked: list[str], running: Collection[str]) -> None:
    """Raise RuntimeError when onnxruntime fell back to the CPU although another provider was chosen by name."""
    if choice != "auto" and asked[0] not in running:
        raise RuntimeError(
            f"The face engine was asked to run on {choice}. The installed onnxruntime has it, but it did not start, so "
            "its driver or libraries are missing or of another version (CUDA also needs cuDNN); onnxruntime's own "
            "message is in the console. Choose the provider 'auto' or 'CPU' to go on without it."
        )


def cause(choice: str) -> str:
    """Why a provider other than the CPU is not among those that the installed onnxruntime offers."""
    installed = sorted(name for name in _installed_runtimes() if name.startswith("onnxruntime"))
    if len(installed) > 1:
        return (
            f"The packages {' and '.join(installed)} are installed together and overwrite each other: "
            f"uninstall them all, then install {PACKAGES[choice]} alone."
        )
    return f"{choice} needs the package {PACKAGES[choice]} in place of {' '.join(installed) or 'onnxruntime'}."


@cache
def _installed_runtimes() -> set[str]:
    """Once in a process: to go through all installed packages takes a twentieth of a second, and they stay."""
    names = {"onnxruntime", *(f"onnxruntime-{kind}" for kind in ("gpu", "directml", "openvino", "rocm", "migraphx"))}
    return names & {(distribution.metadata["Name"] or "").lower() for distribution in metadata.distributions()}
