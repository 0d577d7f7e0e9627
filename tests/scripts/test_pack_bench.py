"""What is packed for a machine without network: no weights, what the bench needs, within the size that travels."""

import argparse
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.hosting import bare_archive


@pytest.fixture
def installation(tmp_path):
    host = tmp_path / "host"
    for name in ("main.py", "comfy/sd.py", "comfy/__pycache__/sd.pyc", "models/vae/large.safetensors", "tests/test.py"):
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text("print('there')")
    return Installation(host, Path(sys.executable), Path(sys.executable), private=False)


def options(tmp_path, **changed):
    (tmp_path / "there.txt").write_text("numpy    2.0\nSciPy 1.0\n")
    return argparse.Namespace(
        **{
            "there": tmp_path / "there.txt",
            "python": None,
            "out": tmp_path / "out",
            "most": 64.0,
            "wheels": None,
            **changed,
        }
    )


@pytest.fixture
def imported(monkeypatch):
    names = ["iniconfig", "numpy", "nvidia-cublas", "scipy", "torch"]
    monkeypatch.setattr(bare_archive, "imported_packages", lambda _: names)
    monkeypatch.setattr(bare_archive, "PARTS", ("__init__.py", "scripts", "demo/weights"))


def test_the_archive_unpacks_to_what_a_run_needs(tmp_path, installation, imported, capsys):
    bare_archive.pack(options(tmp_path), installation, Console())
    with tarfile.open(tmp_path / "out" / "bare.tar.xz") as tar:
        names = {name.removeprefix("bare/") for name in tar.getnames()}
        tar.extractall(tmp_path, filter="data")

    assert {"run.sh", "ComfyUI/main.py", "ComfyUI/comfy/sd.py", "ComfyUI-Troupe/scripts/bench.py"} <= names
    assert "site/iniconfig/__init__.py" in names
    assert not [name for name in names if name.startswith(("site/numpy/", "site/torch/", "ComfyUI/models"))]
    assert not [name for name in names if Path(name).suffix in bare_archive.NOT_RUN]
    bench = tmp_path / "bare" / "ComfyUI-Troupe" / "scripts" / "bench.py"
    listed = subprocess.run([sys.executable, str(bench)], capture_output=True, text=True, check=True).stdout
    assert "accelerator" in listed
    assert "MiB, of 64.0 at most" in capsys.readouterr().out


def test_what_is_too_large_to_travel_is_refused_and_says_what_is_large(tmp_path, installation, imported):
    with pytest.raises(Refusal, match=r"at most 0.01 are allowed. The largest parts: the pack, .*--there"):
        bare_archive.pack(options(tmp_path, most=0.01), installation, Console())
    assert not (tmp_path / "out" / "bare.tar.xz").exists()


def test_compiled_packages_are_named_for_another_python_and_come_from_wheels(tmp_path, installation, imported, capsys):
    with zipfile.ZipFile(tmp_path / "scipy-9-cp399-cp399-any.whl", "w") as wheel:
        wheel.writestr("scipy/__init__.py", "")
    asked = options(tmp_path, there=None, python="3.99", wheels=tmp_path)

    bare_archive.pack(asked, installation, Console())

    said = capsys.readouterr().out.split("Not packed, compiled")[1].split("\n")[0]
    assert "numpy" in said
    assert "scipy" not in said
    with tarfile.open(tmp_path / "out" / "bare.tar.xz") as tar:
        assert [name for name in tar.getnames() if "/scipy/" in name] == ["bare/site/scipy/__init__.py"]
