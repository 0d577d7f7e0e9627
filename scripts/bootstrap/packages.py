"""Make virtual environments and run pip in them; after a kill at any moment the next run trusts nothing half done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import lock, pip_log
from .console import Console
from .errors import Refusal
from .places import Places, python_of


def clean_environment(places: Places) -> dict[str, str]:
    """The environment for pip: the person's own index and proxy settings, none that would install somewhere else."""
    unwanted = {
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_REQUIRE_HASHES",
        "PIP_CONSTRAINT",
    }
    kept = {name: value for name, value in os.environ.items() if name.upper() not in unwanted}
    scratch = str(places.scratch)
    return kept | {
        "PIP_USER": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TMPDIR": scratch,
        "TEMP": scratch,
        "TMP": scratch,
    }


def make_venv(venv: Path, places: Places) -> None:
    """Make a fresh virtual environment. Raises Refusal when this Python cannot."""
    if venv.exists():
        shutil.rmtree(venv)
    # Run from inside the environment that is being replaced, only its base interpreter survives.
    python = getattr(sys, "_base_executable", None) or sys.executable
    command = [python, lock.__file__, str(places.pip_lock), "venv", str(venv)]
    places.scratch.mkdir(parents=True, exist_ok=True)  # a killed one leaves its temporary files where the next looks
    made = subprocess.run(command, capture_output=True, text=True, errors="replace", env=clean_environment(places))
    if made.returncode:
        if "No space left" in made.stdout + made.stderr:
            raise Refusal("The disk is full. Free some space, then run the same command again.")
        raise Refusal(
            f"The Python at {python} cannot make a virtual environment "
            "(on Debian and Ubuntu: apt install python3-venv). "
            f"It says: {(made.stdout + made.stderr).strip().splitlines()[-1:] or 'nothing'}"
        )


def works(venv: Path) -> bool:
    """Whether the interpreter of an environment starts; it does not once its base Python was uninstalled."""
    try:
        return subprocess.run([str(python_of(venv)), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def drop_half_installed(venv: Path) -> list[str]:
    """Remove the traces of packages whose installation was cut off, and return their names.

    pip writes a package's RECORD last, with its own INSTALLER file in it; metadata without that would make pip believe
    that the package is there. Folders with a leading ~ are what an interrupted upgrade left behind.
    """
    dropped = []
    for site in [*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages")]:
        for leftover in site.glob("~*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        for metadata in site.glob("*.dist-info"):
            record = metadata / "RECORD"
            if not record.is_file() or "INSTALLER" not in record.read_text(encoding="utf-8", errors="replace"):
                shutil.rmtree(metadata)
                dropped.append(metadata.name)
    return dropped


def run_pip(venv: Path, arguments: Sequence[str], name: str, places: Places, console: Console) -> None:
    """Run pip in `venv`, showing what it does; its output goes to the log `name`. Raises Refusal when it fails."""
    places.scratch.mkdir(parents=True, exist_ok=True)
    places.logs.mkdir(parents=True, exist_ok=True)
    log_file = places.logs / f"{name}.log"
    command = [str(python_of(venv)), lock.__file__, str(places.pip_lock), "pip", *arguments]
    with open(log_file, "wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=clean_environment(places)
        )
    try:
        follow(process, log_file, console)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise Refusal(pip_log.explain(log_file.read_text(encoding="utf-8", errors="replace"), str(log_file)))


def follow(process: subprocess.Popen, log_file: Path, console: Console) -> None:
    """Show the progress of a running pip until it ends."""
    begun = time.monotonic()
    while True:
        try:
            process.wait(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            doing = pip_log.progress(log_file.read_text(encoding="utf-8", errors="replace"))
            console.status(f"      {time.monotonic() - begun:4.0f} s  {doing}")
    console.clear()
