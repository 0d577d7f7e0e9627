"""Older ComfyUIs with their front ends, and the newest front end, pinned by hash; run with the private environment."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .archive import check_hash
from .console import Console
from .errors import Refusal
from .host_archive import fetch_host
from .installation import Installation
from .link import ensure_link
from .packages import run_pip
from .places import PACK_FOLDER, ROOT, Places, python_of

FRONT_END = "comfyui-frontend-package"
STATIC = "comfyui_frontend_package/static/"


@dataclass(frozen=True)
class OlderHost:
    """A ComfyUI as a release of the same distribution as the private one, and the front end that it asks for."""

    version: str
    release: str
    sha256: str
    front_end: str
    front_end_sha256: str


OLDER_HOSTS = (
    OlderHost(
        "0.16.3",
        "1.0.0",
        "4e46654c099b0b3e5f96f2d34d938b54409764202754b33a76e550925a1d1e73",
        "1.39.19",
        "58343dd79eca371badbe354c12b9bc47c7dc58f7f92243be537e178dfbaf2036",
    ),
    OlderHost(
        "0.18.2",
        "1.4.0",
        "63c1a71faacc2b3f50e0eb812f530fe05e722fc46a46d96ec78d97a6eaca0e83",
        "1.41.21",
        "47627b04bcbfe3815f4521d92b8483f5e5a908aa4be57b224a82e7fc2ea3eed7",
    ),
    OlderHost(
        "0.24.1",
        "2.3.1",
        "dd4a132c219a59c2321158f0a677f159134e004e85888415818c1b217ce93813",
        "1.44.19",
        "4cb2ca292e76cc839ff231e3e3ffb5a7de0eb306924f15498ed0f7027b05c607",
    ),
    OlderHost(
        "0.26.0",
        "2.4.5",
        "3d6df87d09657260444a5fae28684c35212873dddd78e909be596ba7c0664cba",
        "1.45.19",
        "838e89f9ab7931339b8ca3478f55c3434a31019f85cd35ae11c665681e4cdd95",
    ),
)

NEWEST_FRONT_END = "1.58.1"
NEWEST_FRONT_END_SHA256 = "37912597537a731a8f421179618a736c24184c5bdbfa327f38b2fb7c291852d9"


@dataclass(frozen=True)
class BesidePlaces(Places):
    """Places of a host that runs with somebody else's environment."""

    environment: Path

    @property
    def venv(self) -> Path:
        """The environment that runs it, and whose pip fetches it."""
        return self.environment


def older_installation(host: OlderHost, places: Places, console: Console) -> tuple[Installation, Path]:
    """The host, fetched if it is not there yet, with this pack in it; and the folder of its front end.

    Nothing is installed into the environment that runs it. Raises Refusal for what is not the pinned file.
    """
    home = BesidePlaces(places.home / "hosts" / host.version, places.venv)
    front_end = home.home / "front-end"
    if not (home.comfyui / "main.py").is_file():
        console.say(f"Fetching ComfyUI {host.version}.")
        fetch_host(home, console, host.release, host.sha256)
    _ensure_front_end(host.front_end, host.front_end_sha256, home, console)
    ensure_link(home.comfyui / "custom_nodes" / PACK_FOLDER, ROOT)
    python = python_of(places.venv)
    return Installation(home.comfyui, python, tools=python, private=True), front_end


def newest_front_end(places: Places, console: Console) -> Path:
    """The folder of the newest front end, fetched if need be. Raises Refusal for what is not the pinned file."""
    home = BesidePlaces(newest_front_end_folder(places).parent, places.venv)
    _ensure_front_end(NEWEST_FRONT_END, NEWEST_FRONT_END_SHA256, home, console)
    return newest_front_end_folder(places)


def newest_front_end_folder(places: Places) -> Path:
    """Where the newest front end is, once it was fetched."""
    return places.home / "hosts" / f"front-end-{NEWEST_FRONT_END}" / "front-end"


def _ensure_front_end(version: str, digest: str, home: Places, console: Console) -> None:
    folder = home.home / "front-end"
    if not (folder / "index.html").is_file():
        console.say(f"Fetching the front end {version}.")
        _fetch_front_end(version, digest, home, folder, console)
    for leftover in (home.downloads, home.scratch):
        shutil.rmtree(leftover, ignore_errors=True)


def _fetch_front_end(version: str, digest: str, home: Places, folder: Path, console: Console) -> None:
    home.downloads.mkdir(parents=True, exist_ok=True)
    wanted = home.downloads / "front-end.txt"
    wanted.write_text(f"{FRONT_END}=={version} --hash=sha256:{digest}\n", encoding="utf-8")
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    arguments += ["--dest", str(home.downloads), "--requirement", str(wanted)]
    run_pip(home.venv, arguments, "front-end", home, console)
    wheels = sorted(home.downloads.glob("*.whl"))
    if len(wheels) != 1:
        raise Refusal(f"pip left {len(wheels)} wheels in {home.downloads}, expected one. Remove them and run again.")
    unpack_front_end(wheels[0], digest, folder)


def unpack_front_end(wheel: Path, digest: str, folder: Path) -> None:
    """Unpack the pages of a front end's wheel, in one rename. Raises Refusal when it is not the pinned one."""
    check_hash(wheel, digest)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(partial, [name for name in opened.namelist() if name.startswith(STATIC)])
    shutil.rmtree(folder, ignore_errors=True)
    (partial / STATIC).rename(folder)
    shutil.rmtree(partial)
