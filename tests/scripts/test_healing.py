"""A set-up that is killed at any moment and run again: a real environment, a real pip, a real archive, only tiny."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.packages import drop_half_installed, make_venv, run_pip
from pack.scripts.bootstrap.places import ROOT, Places, python_of
from pack.scripts.bootstrap.steps import Step, key_of, run_steps
from pack.tests.scripts.tiny_packages import write_tar, write_wheel

MODULES = 400
# The steps of the real set-up on things that take a second instead of minutes.
SET_UP = """
import sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
import pack_alias
from pack.scripts.bootstrap import private_host
from pack.scripts.bootstrap.archive import unpack_folder
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.packages import make_venv, run_pip
from pack.scripts.bootstrap.places import Places
from pack.scripts.bootstrap.steps import Step

def host_steps(places, console):
    stamps, source = places.venv / "stamps", Path({source!r})
    def install(name):
        arguments = ["install", "--no-index", "--no-compile", "--find-links", str(source), name]
        return lambda: run_pip(places.venv, arguments, name, places, console)
    def unpack():
        unpack_folder(source / "host.tar.gz", "vendor/ComfyUI", places.comfyui)
    return [
        Step("venv", stamps / "venv", "1", lambda: make_venv(places.venv, places)),
        Step("host", places.comfyui / "stamp", "1", unpack),
        Step("one", stamps / "one", "1", install("one")),
        Step("two", stamps / "two", "1", install("two")),
    ]

private_host.host_steps = host_steps
private_host.set_up(Places(Path({home!r})), Console())
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    write_wheel(folder, "one", MODULES)
    write_wheel(folder, "two", MODULES)
    write_tar(folder / "host.tar.gz", {f"top/vendor/ComfyUI/part{i}.py": f"NUMBER = {i}\n" for i in range(MODULES)})
    return folder


def assert_whole(places):
    """Every part of both packages and of the host is there and right."""
    parts = [f"{package}.part{i}" for package in ("one", "two") for i in range(MODULES)]
    look = f"import importlib; [importlib.import_module(part) for part in {parts!r}]"
    subprocess.run([python_of(places.venv), "-B", "-c", look], check=True)
    texts = [(places.comfyui / f"part{i}.py").read_text() for i in range(MODULES)]
    assert texts == [f"NUMBER = {i}\n" for i in range(MODULES)]
    assert (places.comfyui / "custom_nodes" / "ComfyUI-Troupe").resolve() == ROOT


@pytest.mark.skipif(os.name == "nt", reason="kills with a POSIX signal")
def test_a_set_up_killed_at_any_moment_heals(tmp_path, source):
    places = Places(tmp_path / ".troupe")
    code = SET_UP.format(scripts=str(ROOT / "scripts"), source=str(source), home=str(places.home))
    command = [sys.executable, "-c", code]

    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - begun
    assert_whole(places)

    draw = random.Random(0)
    for _ in range(2):
        shutil.rmtree(places.home)
        for _ in range(3):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.1, 0.9) * whole)
            process.kill()  # SIGKILL to the set-up alone: a pip that it started goes on, as after a real kill -9
            process.wait()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        assert_whole(places)


def test_a_second_run_does_nothing(tmp_path):
    done = []
    steps = [Step("one", tmp_path / "one" / "stamp", key_of("a"), lambda: done.append(1))]

    run_steps(steps, tmp_path / ".troupe", Console())
    run_steps(steps, tmp_path / ".troupe", Console())

    assert done == [1]


def test_a_step_is_done_again_when_what_it_depends_on_changed_or_its_result_broke(tmp_path):
    done, sound = [], [True]
    requirements = tmp_path / "requirements.txt"

    def run():
        step = Step("one", tmp_path / "stamp", key_of(requirements), lambda: done.append(1), sound=lambda: sound[0])
        run_steps([step], tmp_path, Console())

    requirements.write_text("numpy\n")
    run()
    requirements.write_bytes(b"numpy\r\n")  # the same text, checked out on Windows
    run()
    assert len(done) == 1
    requirements.write_text("numpy\nscipy\n")
    run()
    assert len(done) == 2
    sound[0] = False
    run()
    assert len(done) == 3


def test_a_step_that_fails_leaves_no_stamp(tmp_path):
    def fail():
        raise OSError("cut off")

    (tmp_path / "stamp").write_text("an older key")
    step = Step("one", tmp_path / "stamp", key_of("new"), fail)
    with pytest.raises(OSError, match="cut off"):
        run_steps([step], tmp_path, Console())

    assert not step.is_done()
    assert not (tmp_path / "stamp").exists()


def test_a_package_cut_off_while_pip_wrote_it_is_installed_again(tmp_path, source):
    places = Places(tmp_path / ".troupe")
    make_venv(places.venv, places)
    install = ["install", "--no-index", "--find-links", str(source), "one"]
    run_pip(places.venv, install, "one", places, Console())
    (site,) = [*places.venv.glob("lib/python*/site-packages"), *places.venv.glob("Lib/site-packages")]
    before = {path.name for path in site.iterdir()}

    # What a kill leaves: the last files of the package are missing, and so is the RECORD, which pip writes at the end.
    (site / "one" / "part7.py").unlink()
    (site / "one-1.0.dist-info" / "RECORD").unlink()
    (site / "~ne-1.0.dist-info").mkdir()
    run_pip(places.venv, install, "one", places, Console())
    assert not (site / "one" / "part7.py").exists(), "pip believes in a package without a RECORD: that is why"

    assert drop_half_installed(places.venv) == ["one-1.0.dist-info"]
    run_pip(places.venv, install, "one", places, Console())

    assert (site / "one" / "part7.py").read_text() == "NUMBER = 7\n"
    assert {path.name for path in Path(site).iterdir()} == before
