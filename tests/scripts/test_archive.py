"""The host's archive: refused when it is another one, and unpacked only where it should go."""

import pytest
from pack.scripts.bootstrap.archive import check_hash, sha256_of, unpack_folder
from pack.scripts.bootstrap.errors import Refusal
from pack.tests.scripts.tiny_packages import write_tar


def test_an_archive_with_another_hash_is_refused_and_both_hashes_are_named(tmp_path):
    archive = write_tar(tmp_path / "host.tar.gz", {"top/vendor/ComfyUI/main.py": "print()"})

    check_hash(archive, sha256_of(archive))
    with pytest.raises(Refusal, match="host.tar.gz.*" + sha256_of(archive) + ".*expected " + "0" * 64):
        check_hash(archive, "0" * 64)


def test_only_the_wanted_folder_is_unpacked(tmp_path):
    files = {"top/vendor/ComfyUI/main.py": "main", "top/vendor/ComfyUI/comfy/a.py": "a", "top/setup.py": "no"}
    archive = write_tar(tmp_path / "host.tar.gz", {**files, "top/vendor/ComfyUI-other/b.py": "no"})

    unpack_folder(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")

    unpacked = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.py"))
    assert unpacked == ["ComfyUI/comfy/a.py", "ComfyUI/main.py"]
    assert (tmp_path / "ComfyUI" / "main.py").read_text() == "main"


@pytest.mark.parametrize(
    "name",
    ["top/vendor/ComfyUI/../../../../evil", "/evil", "top\\..\\evil", "C:/evil", "top/vendor/ComfyUI/nul:stream"],
)
def test_a_path_that_leads_elsewhere_is_refused_and_nothing_is_left(tmp_path, name):
    archive = write_tar(tmp_path / "a" / "host.tar.gz", {"top/vendor/ComfyUI/main.py": "main", name: "evil"})

    with pytest.raises(Refusal, match="unsafe path"):
        unpack_folder(archive, "vendor/ComfyUI", tmp_path / "a" / "b" / "ComfyUI")

    assert not (tmp_path / "a" / "b" / "ComfyUI").exists()
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_in_the_archive_is_refused(tmp_path):
    archive = write_tar(tmp_path / "host.tar.gz", {}, links={"top/vendor/ComfyUI/models": "/etc"})

    with pytest.raises(Refusal, match="neither file nor folder"):
        unpack_folder(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")


def test_an_archive_without_the_folder_is_refused(tmp_path):
    archive = write_tar(tmp_path / "host.tar.gz", {"top/setup.py": "x"})

    with pytest.raises(Refusal, match="no folder vendor/ComfyUI"):
        unpack_folder(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")


def test_what_an_earlier_try_left_behind_is_replaced(tmp_path):
    archive = write_tar(tmp_path / "host.tar.gz", {"top/vendor/ComfyUI/main.py": "new"})
    for leftover in ("ComfyUI", "ComfyUI.partial", "ComfyUI.old"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "stale.py").write_text("stale")

    unpack_folder(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")

    assert [p.name for p in sorted(tmp_path.iterdir())] == ["ComfyUI", "host.tar.gz"]
    assert [p.name for p in (tmp_path / "ComfyUI").iterdir()] == ["main.py"]
