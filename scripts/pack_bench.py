"""Pack what a machine without network needs for `bench.py accelerator` into one archive, and say its size.

In it: this pack without weights and pictures, the source of ComfyUI, the Python packages that a run of the bench
imports, and run.sh, which starts the bench with all of these. The machine has to have Python and PyTorch. `--there`
names a file with what else it has, as `pip list` prints it there: of that nothing is packed. Compiled packages serve
the same system and the same Python alone; with another one, say which by `--python 3.12`, and they are named instead.

    python scripts/pack_bench.py --there there.txt
    tar xf bare.tar.xz && sh bare/run.sh --json rows.json      on that machine
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import PACK_FOLDER, ROOT, places
from pack.scripts.figures.store import PARTS

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


def pack(options: argparse.Namespace, installation: Installation, console: Console) -> None:
    """Make the archive. Raises Refusal where it is too large."""
    there = {canonical(line.split()[0]) for line in options.there.read_text().splitlines() if line.strip()} \
        if options.there else set()  # fmt: skip
    wanted = [name for name in imported_packages(installation) if not OF_TORCH.fullmatch(name) and name not in there]
    packages = {name: package_files(name) for name in wanted}
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    compiled = [name for name, files in packages.items() if is_compiled(files)]
    if options.python not in (None, here):
        console.say(f"Not packed, compiled for Python {here}: {', '.join(compiled) or 'none'}. Bring wheels of these.")
        packages = {name: files for name, files in packages.items() if name not in compiled}
    elif compiled:
        console.say(f"For Python {here} on this system alone: {', '.join(compiled)}.")
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--there", type=Path, metavar="FILE", help="packages that the machine has, a line each")
    parser.add_argument("--python", metavar="VERSION", help="of the machine, such as 3.12; this one's by default")
    parser.add_argument("--out", type=Path, metavar="DIR", default=OUT, help=f"where to; {OUT.name} by default")
    parser.add_argument("--most", type=float, metavar="MIB", default=MOST, help=f"refuse beyond it; {MOST} by default")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    add_host_option(parser)
    options, console = parser.parse_args(), Console()
    installation = ready_installation(options.comfyui, places(), console)
    if not options.inside:
        command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
        return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1"}).returncode
    pack(options, installation, console)
    return 0


if __name__ == "__main__":
    run(main)
