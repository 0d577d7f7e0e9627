"""The bench `setup`: when it kills, what it takes for left over or unclear, and a real set-up that it kills twice."""

import os
import time

import pytest
from pack.scripts.benches.set_ups.killed import draw_moments
from pack.scripts.benches.set_ups.leftovers import changed_files, files_of, held, leftovers, unclear
from pack.scripts.benches.set_ups.watched_demo import Moment, WatchedDemo, step_seconds, temporary_files, working_folder
from pack.scripts.bootstrap import packages
from pack.scripts.bootstrap.lock import Lock
from pack.scripts.bootstrap.places import Places

LINES = [
    (
        0.2,
        "Setting up in /x/.troupe, once: about 4.0 GB to download, 7.5 GB on disk, a few minutes. `a` takes it away.",
    ),
    (0.5, "[1/3] A Python environment of its own"),
    (10.5, "[2/3] PyTorch (the long one)"),
    (25.5, "        15 s  Downloading torch-2.11.0.whl (530.6 MB)"),
    (90.5, "[3/3] What ComfyUI needs"),
    (100.0, "Set up in 100 s."),
    (130.0, "Running two-people.json."),
]


def test_moments_are_uniform_over_the_whole_set_up_and_in_order():
    moments = draw_moments([10.0, 80.0, 10.0], 2000, seed=0)

    assert moments == draw_moments([10.0, 80.0, 10.0], 2000, seed=0)
    assert [sum(moment.step == step for moment in moments) / 2000 for step in (1, 2, 3)] == pytest.approx(
        [0.1, 0.8, 0.1], abs=0.02
    )
    assert moments == sorted(moments, key=lambda moment: (moment.step, moment.after))
    assert all(0 <= moment.after <= (10, 80, 10)[moment.step - 1] for moment in moments)


def test_a_step_lasts_until_the_next_and_the_last_until_the_set_up_ends():
    assert [*step_seconds(LINES).items()] == [
        ("A Python environment of its own", 10.0),
        ("PyTorch (the long one)", 80.0),
        ("What ComfyUI needs", 9.5),
    ]


def test_the_set_ups_own_words_are_clear_and_anything_else_is_not():
    said = [line for _, line in LINES]

    assert unclear(said) == []
    assert unclear([said[0].replace("Setting up", "Going on with the set-up").replace(", once", ""), said[2]]) == []
    assert unclear(said[1:]) == ["(no word on what it is about to do)"]
    assert unclear([said[0], "Traceback (most recent call last):", *said[1:]]) == ["Traceback (most recent call last):"]
    assert unclear([said[0], "ERROR: No matching distribution"]) == ["ERROR: No matching distribution"]


def test_whatever_a_kill_can_leave_is_found(tmp_path):
    places, temporary = Places(tmp_path / ".troupe"), tmp_path / "temporary"
    site = places.venv / "lib" / "python3.11" / "site-packages"
    for folder in (places.scratch, places.comfyui.with_name("ComfyUI.partial"), site / "~orch", site / "a-1.dist-info"):
        folder.mkdir(parents=True)
    (site / "b-1.dist-info").mkdir()
    (site / "b-1.dist-info" / "RECORD").write_text("")
    (temporary / "tmpx").mkdir(parents=True)

    with Lock(places.pip_lock):
        assert held(places) == [places.pip_lock]
        found = leftovers(places, temporary)

    names = {"scratch", "ComfyUI.partial", "~orch", "a-1.dist-info", "tmpx", "pip.lock is held"}
    assert {line.rsplit("/", 1)[-1] for line in found} == names
    assert held(places) == []


def test_files_are_compared_by_size_without_byte_code_and_logs(tmp_path):
    before, after = Places(tmp_path / "a"), Places(tmp_path / "b")
    for places, size in ((before, 3), (after, 4)):
        for name in ("venv/lib/part.py", "venv/lib/same.py", "venv/__pycache__/part.pyc", "logs/torch.log"):
            path = places.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * (1 if "same" in name else size))
    (after.home / "link").symlink_to(before.home)

    assert changed_files(files_of(after), files_of(before)) == ["link", "venv/lib/part.py"]


def held_in_the_end(places):
    """The locks that are still held once killed processes have had time to end, for which the kill does not wait."""
    for _ in range(1200):
        if not held(places):
            break
        time.sleep(0.05)
    return held(places)


@pytest.mark.skipif(os.name == "nt", reason="kills with a POSIX signal")
def test_a_real_set_up_is_killed_with_all_its_processes_and_says_what_it_does_when_started_again(tmp_path):
    home, places = tmp_path / "home", working_folder(tmp_path / "home")
    for _ in range(2):
        with WatchedDemo(home, tmp_path / "out") as demo:
            assert demo.killed_at(Moment(1, 0.3))

        assert demo.step()[0] == 1
        assert not held_in_the_end(places)
        assert unclear(line for _, line in demo.lines) == []
    assert list(temporary_files(home).iterdir()) == []


def test_an_environment_is_made_with_its_temporary_files_where_the_next_set_up_looks(tmp_path, monkeypatch):
    places, seen = Places(tmp_path), []
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    original = packages.subprocess.run

    def run(command, **options):
        seen.append(options["env"]["TMPDIR"])
        return original([packages.sys.executable, "-c", ""], **options)

    monkeypatch.setattr(packages.subprocess, "run", run)
    packages.make_venv(places.venv, places)

    assert seen == [str(places.scratch)]
    assert places.scratch.is_dir()
