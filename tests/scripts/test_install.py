"""What install.py installs and what it leaves alone: the real pip in a real environment, from wheels made here."""

import os
import subprocess
import sys

import pytest
from pack import install
from pack.install import OPENCV, RUNTIMES, package_for
from pack.scripts.bootstrap.places import ROOT, python_of
from pack.tests.scripts.tiny_packages import write_wheel

RUNTIME = package_for("onnxruntime")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """All there is to install: numpy 1 and 2, an OpenCV for either, and a runtime that asks for either."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.26", "2.5"):
        write_wheel(folder, "numpy", version=version)
    write_wheel(folder, "opencv-python-headless", version="4.11", owns="cv2", needs=["numpy>=1"])
    write_wheel(folder, "opencv-python-headless", version="5.0", owns="cv2", needs=["numpy>=2"])
    for name in OPENCV:
        write_wheel(folder, name, version="4.9", owns="cv2")
    for name in RUNTIMES:
        write_wheel(folder, name, version="1.20", owns="onnxruntime", needs=["numpy"])
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of one environment, whose packages `set_to` changes."""
    home = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    return python_of(home)


@pytest.fixture
def run(index, python):
    """Runs a command with that Python, without any index but the test's own wheels; text and status."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_CONSTRAINT")}
    variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_CONFIG_FILE": os.devnull}

    def command(*arguments):
        ended = subprocess.run([str(python), *arguments], capture_output=True, text=True, env=variables)
        return ended.returncode, ended.stdout + ended.stderr

    return command


def frozen(run):
    return set(run("-m", "pip", "freeze")[1].split())


def set_to(run, packages):
    """Bring the environment to exactly these packages."""
    old = sorted(line.split("==")[0] for line in frozen(run))
    if old:
        run("-m", "pip", "uninstall", "-y", *old)
    if packages:
        status, said = run("-m", "pip", "install", "--no-deps", *packages)
        assert status == 0, said


INSTALLER = str(ROOT / "install.py")
HEADLESS = "opencv-python-headless"


@pytest.mark.parametrize(
    ("there", "added"),
    [
        (["numpy==1.26"], [f"{HEADLESS}==4.11", f"{RUNTIME}==1.20"]),
        (["numpy==2.5"], [f"{HEADLESS}==5.0", f"{RUNTIME}==1.20"]),
        (["numpy==1.26", "opencv-contrib-python==4.9"], [f"{RUNTIME}==1.20"]),
        (["numpy==1.26", "opencv-python==4.9", "onnxruntime-directml==1.20"], []),
        (["numpy==1.26", "onnxruntime==1.20"], [f"{HEADLESS}==4.11"]),
    ],
)
def test_only_what_cannot_be_imported_is_installed_and_nothing_else_changes(run, there, added):
    set_to(run, there)

    status, said = run(INSTALLER)

    assert status == 0, said
    assert frozen(run) == {*there, *added}
    assert run(INSTALLER)[1] == "Troupe: OpenCV and ONNX Runtime can be imported; nothing to install.\n"


def test_a_module_that_is_there_and_broken_is_told_and_not_installed_over(run, python):
    there = ["numpy==1.26", "opencv-python==4.9", "onnxruntime==1.20"]
    set_to(run, there)
    (package,) = python.parents[1].rglob("cv2/__init__.py")
    package.write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")

    status, said = run(INSTALLER)

    assert status == 1
    assert "opencv-python is installed, but `import cv2` fails: ImportError: libGL.so.1" in said
    assert "pip uninstall opencv-python" in said
    assert frozen(run) == set(there)


def test_where_nothing_fits_what_is_installed_it_fails_and_changes_nothing(run):
    there = ["numpy==1.26", "onnxruntime==1.20"]
    set_to(run, there)

    status, said = run("-c", f"import runpy, sys; sys.argv=['x']; m = runpy.run_path({INSTALLER!r}); "
                       "sys.exit(m['install'](['opencv-python-headless==5.0'], m['installed']()))")  # fmt: skip

    assert status != 0, said
    assert frozen(run) == set(there)


@pytest.mark.parametrize(
    ("system", "machine", "package"),
    [
        ("linux", "x86_64", "onnxruntime-gpu"),
        ("win32", "AMD64", "onnxruntime-gpu"),
        ("darwin", "arm64", "onnxruntime"),
        ("linux", "aarch64", "onnxruntime"),
    ],
)
def test_the_runtime_for_gpus_is_taken_where_it_has_wheels(system, machine, package):
    assert package_for("onnxruntime", system, machine) == package


def test_where_there_is_no_pip_uv_installs_into_this_python(monkeypatch):
    monkeypatch.setattr(install.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/somewhere/{name}")

    assert install.installer() == ["/somewhere/uv", "pip", "install", "--python", sys.executable]
    monkeypatch.setattr(install.shutil, "which", lambda _name: None)
    assert install.installer() is None
    assert install.install(["x"], {}) == 1
