"""The link from a host's custom_nodes to this repository."""

import pytest
from pack.scripts.bootstrap.disk import size_of
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.link import ensure_link, is_link, remove_link


@pytest.fixture
def target(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("x" * 1000)
    return tmp_path / "pack"


def test_a_link_is_made_kept_and_turned_round(tmp_path, target):
    link = tmp_path / "host" / "custom_nodes" / "Pack"
    other = tmp_path / "moved"
    other.mkdir()

    ensure_link(link, target)
    ensure_link(link, target)
    assert (link / "__init__.py").is_file()

    ensure_link(link, other)
    assert is_link(link)
    assert link.resolve() == other.resolve()


def test_a_link_to_something_that_is_gone_is_mended(tmp_path, target):
    gone = tmp_path / "gone"
    gone.mkdir()
    ensure_link(tmp_path / "link", gone)
    gone.rmdir()

    ensure_link(tmp_path / "link", target)

    assert (tmp_path / "link").resolve() == target.resolve()


def test_a_real_folder_in_the_way_is_left_alone(tmp_path, target):
    (tmp_path / "link").mkdir()

    with pytest.raises(Refusal, match="a folder of its own"):
        ensure_link(tmp_path / "link", target)

    assert (tmp_path / "link").is_dir()
    assert not is_link(tmp_path / "link")


def test_removing_a_link_leaves_what_it_points_to_and_its_size_is_not_counted(tmp_path, target):
    ensure_link(tmp_path / "tree" / "link", target)
    assert size_of(tmp_path / "tree") == 0

    remove_link(tmp_path / "tree" / "link")

    assert (target / "__init__.py").is_file()
    assert not is_link(tmp_path / "tree" / "link")
