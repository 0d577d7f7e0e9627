"""Older hosts: pinned by hash, fetched once, and compared with the private one."""

import re
import zipfile

import numpy as np
import pytest
from pack.scripts.benches.older_hosts.trial import difference
from pack.scripts.bootstrap.archive import sha256_of
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.host_archive import COMFYUI_VERSION
from pack.scripts.bootstrap.older_hosts import OLDER_HOSTS, OlderHost, older_installation, unpack_front_end
from pack.scripts.bootstrap.places import ROOT, Places


def test_every_host_is_pinned_once():
    versions = [host.version for host in OLDER_HOSTS]

    assert versions == sorted(set(versions), key=lambda text: [int(part) for part in text.split(".")])
    assert COMFYUI_VERSION not in versions
    hashes = [digest for host in OLDER_HOSTS for digest in (host.sha256, host.front_end_sha256)]
    assert len(set(hashes)) == len(hashes)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes)


def test_a_host_that_is_there_is_not_fetched_again_and_has_this_pack(tmp_path):
    host, places = OlderHost("0.1.2", "1.0", "0" * 64, "1.1", "1" * 64), Places(tmp_path)
    home = tmp_path / "hosts" / "0.1.2"
    for file in ("ComfyUI/main.py", "front-end/index.html"):
        (home / file).parent.mkdir(parents=True)
        (home / file).write_text("")

    installation, front_end = older_installation(host, places, Console())

    assert installation.comfyui == home / "ComfyUI"
    assert installation.python.is_relative_to(places.venv)
    assert front_end == home / "front-end"
    assert (home / "ComfyUI" / "custom_nodes" / "ComfyUI-Troupe").resolve() == ROOT


def test_a_front_end_is_checked_and_unpacked_alone(tmp_path):
    wheel = tmp_path / "front.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("comfyui_frontend_package/static/index.html", "page")
        made.writestr("comfyui_frontend_package/other.py", "no")

    with pytest.raises(Refusal, match="front.whl"):
        unpack_front_end(wheel, "0" * 64, tmp_path / "front-end")
    assert not (tmp_path / "front-end").exists()
    unpack_front_end(wheel, sha256_of(wheel), tmp_path / "front-end")

    assert [path.name for path in (tmp_path / "front-end").rglob("*")] == ["index.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["front-end", "front.whl"]


def test_pictures_differ_by_their_mean_levels_and_wholly_where_one_is_missing():
    grey = np.full((4, 4, 3), 100.0, np.float32)

    assert difference(grey, grey) == 0
    assert difference(grey + 3, grey) == 3
    assert difference(None, grey) == difference(grey, grey[:2]) == 255
