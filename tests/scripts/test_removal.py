"""--remove takes away what was set up, and nothing that a link in it points to."""

import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.link import ensure_link
from pack.scripts.bootstrap.lock import Lock
from pack.scripts.bootstrap.places import Places
from pack.scripts.bootstrap.removal import remove


@pytest.fixture
def set_up_places(tmp_path):
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "precious.py").write_text("keep")
    places = Places(tmp_path / ".troupe")
    for host in ("ComfyUI", "demo", "hosts/0.16.3/ComfyUI"):
        ensure_link(places.home / host / "custom_nodes" / "ComfyUI-Troupe", tmp_path / "repository")
    (places.home / "big").write_bytes(b"0" * 60_000_000)
    return places


def test_everything_goes_but_what_is_linked(tmp_path, set_up_places):
    said = remove(set_up_places)

    assert "freed 0.1 GB" in said
    assert not set_up_places.home.exists()
    assert (tmp_path / "repository" / "precious.py").read_text() == "keep"
    assert "Nothing to remove" in remove(set_up_places)


def test_a_set_up_at_work_is_not_removed_from_under_itself(set_up_places):
    with Lock(set_up_places.lock), pytest.raises(Refusal, match="at work"):
        remove(set_up_places)

    assert (set_up_places.home / "big").exists()


def test_training_checkpoints_stay(set_up_places):
    checkpoint = set_up_places.home / "train" / "128" / "identity.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("hours of work")

    said = remove(set_up_places)

    assert "by hand" in said
    assert [path.name for path in set_up_places.home.iterdir()] == ["train"]
    assert checkpoint.read_text() == "hours of work"
