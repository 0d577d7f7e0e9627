"""The archive of scripts/pack_bench.py: which files a machine without network needs for the bench, and their size."""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ..bootstrap.console import Console
from ..bootstrap.errors import Refusal
from ..bootstrap.installation import Installation
from ..bootstrap.places import PACK_FOLDER, ROOT
from ..figures.store import PARTS

OUT = ROOT / "bench-output"  # git does not see it
MIB = 1 << 20
MOST = 64  # MiB
NOT_RUN = {".safetensors", ".onnx", ".npz", ".npy", ".bin", ".pt", ".png", ".jpg", ".webp", ".pyc", ".ttf"}
HOST_LEAVES_OUT = {"models", "custom_nodes", "user", "input", "output", "temp", "blueprints", "tests", "tests-unit",
                   "script_examples", "comfy_api_nodes"}  # fmt: skip
COMPILED = {".so", ".pyd", ".dll", ".dylib"}
OF_TORCH = re.compile(r"torch(vision|audio)?|triton|nvidia-.*|cuda-.*")  # what PyTorch is or brings
RUN = """#!/bin/sh
# Run the accelerator bench with what was packed; arguments go to it. Results are kept in home, beside this file.
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/{pack}"
PYTHONPATH="$here/site${{PYTHONPATH:+:$PYTHONPATH}}" TROUPE_HOME="$here/home" \\
    exec "${{PYTHON:-python3}}" scripts/bench.py accelerator --comfyui "$here/ComfyUI" "$@"
"""

Entry = tuple[PurePosixPath, Path]
"""A name in the archive, and the file that gets it."""


def canonical(name: str) -> str:
    """A distribution's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pack_files() -> Iterator[Entry]:
    """This pack's files, those that git does not know yet too, without weights and pictures."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *PARTS], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        raise Refusal(f"The files of this pack are listed by git, which says: {listed.stderr.strip()}")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix.lower() not in NOT_RUN and path.is_file():
            yield PurePosixPath(PACK_FOLDER, name), path


def host_files(comfyui: Path) -> Iterator[Entry]:
    """The source of a ComfyUI."""
    for path in sorted(comfyui.rglob("*")):
        below = path.relative_to(comfyui)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in below.parts)
        if path.is_file() and not hidden and below.parts[0] not in HOST_LEAVES_OUT and path.suffix not in NOT_RUN:
            yield PurePosixPath("ComfyUI", below.as_posix()), path


def imported_packages(installation: Installation) -> list[str]:
    """Names of the distributions that the smallest rows of the bench import, in this process."""
    rigs = importlib.import_module("pack.scripts.benches.engine.rigs")
    rows = importlib.import_module("pack.scripts.benches.engine.joint_rows")
    importlib.import_module("pack.scripts.benches.accelerator")
    workshop = rigs.Workshop(installation)
    for family in rows.FAMILIES:
        rows.leak_of(workshop, family, "apart", 2, 1.0, True)
    modules = {name.split(".")[0] for name in list(sys.modules)}
    of_module = importlib.metadata.packages_distributions()
    return sorted({canonical(name) for module in modules for name in of_module.get(module, ())})


def package_files(name: str) -> list[Entry]:
    """The files of an installed distribution; none of commands and caches."""
    distribution = importlib.metadata.distribution(name)
    kept = []
    for file in distribution.files or ():
        path = Path(distribution.locate_file(file))
        if ".." not in file.parts and "__pycache__" not in file.parts and path.is_file():
            kept.append((PurePosixPath("site", file.as_posix()), path))
    return kept


def wheel_files(folder: Path | None, scratch: Path) -> dict[str, list[Entry]]:
    """What is in the wheels of a folder, by distribution; they are unpacked in `scratch`."""
    found = {}
    for wheel in sorted(folder.glob("*.whl")) if folder else ():
        own = scratch / wheel.stem
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(own)
        files = [path for path in sorted(own.rglob("*")) if path.is_file()]
        name = canonical(wheel.name.split("-")[0])
        found[name] = [(PurePosixPath("site", path.relative_to(own).as_posix()), path) for path in files]
    return found


def is_compiled(files: Iterable[Entry]) -> bool:
    """Whether a distribution serves one system and one Python alone."""
    return any(COMPILED & set(path.suffixes) for _, path in files)


def write_archive(archive: Path, entries: Iterable[Entry]) -> int:
    """Write it, with run.sh; how large it is, in bytes."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz") as tar:
        script = RUN.format(pack=PACK_FOLDER).encode()
        about = tarfile.TarInfo("bare/run.sh")
        about.size, about.mode = len(script), 0o755
        tar.addfile(about, io.BytesIO(script))
        for name, path in entries:
            tar.add(path, f"bare/{name}", recursive=False)
    return archive.stat().st_size


def pack(options: Namespace, installation: Installation, console: Console) -> None:
    """Make the archive. Raises Refusal where it is too large."""
    with tempfile.TemporaryDirectory() as scratch:
        packages = _packages(options, installation, wheel_files(options.wheels, Path(scratch)), console)
        parts = {"the pack": list(pack_files()), "ComfyUI": list(host_files(installation.comfyui)), **packages}
        archive = options.out / "bare.tar.xz"
        size = write_archive(archive, (entry for entries in parts.values() for entry in entries)) / MIB
        largest = sorted(parts, key=lambda name: -sum(path.stat().st_size for _, path in parts[name]))[:6]
    if size > options.most:
        archive.unlink()
        raise Refusal(
            f"The archive would have {size:.1f} MiB, and at most {options.most} are allowed. The largest parts: "
            f"{', '.join(largest)}. Name what the machine has by --there, with what `pip list` prints on it."
        )
    console.say(f"{archive}: {size:.1f} MiB, of {options.most} at most; the largest parts: {', '.join(largest)}")


def _packages(
    options: Namespace, installation: Installation, wheels: dict[str, list[Entry]], console: Console
) -> dict[str, list[Entry]]:
    """Files of every package to bring: of wheels where there are any, else as they are installed here."""
    lines = options.there.read_text(encoding="utf-8").splitlines() if options.there else []
    there = {canonical(line.split()[0]) for line in lines if line.strip()} | set(wheels)
    wanted = [name for name in imported_packages(installation) if not OF_TORCH.fullmatch(name) and name not in there]
    packages = {name: package_files(name) for name in wanted}
    compiled = [name for name, files in packages.items() if is_compiled(files)]
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if options.python in (None, here):
        console.say(f"For Python {here} on this system alone: {', '.join(compiled) or 'nothing'}.")
        return {**packages, **wheels}
    console.say(f"Not packed, compiled for Python {here}: {', '.join(compiled) or 'none'}. Give --wheels with these.")
    return {**{name: files for name, files in packages.items() if name not in compiled}, **wheels}
