"""The bench `installs`: what counts as changed and as broken in an environment, and the variants it tries."""

import sys

import pytest
from pack.scripts.benches import installs
from pack.scripts.bootstrap.places import Places


@pytest.fixture
def venv(tmp_path):
    """The files of an environment with one package and its byte code."""
    package = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "one"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1")
    (package / "__pycache__" / "__init__.pyc").write_bytes(b"1")
    return package


def test_a_file_that_was_written_over_or_taken_away_counts_and_byte_code_does_not(venv, tmp_path):
    places = Places(tmp_path)
    before = installs.digests(places.venv)
    (venv / "__pycache__" / "__init__.pyc").write_bytes(b"2")
    (venv / "more.py").write_text("")
    assert installs.changed(before, installs.digests(places.venv)) == []

    (venv / "__init__.py").write_text("x = 2")
    assert installs.changed(before, installs.digests(places.venv)) == ["one/__init__.py"]
    (venv / "__init__.py").unlink()
    assert installs.changed(before, installs.digests(places.venv)) == ["one/__init__.py"]


def test_what_does_not_import_is_told_with_its_reason():
    assert installs.failure(sys.executable, "json") == ""
    assert installs.failure(sys.executable, "no_such_module").startswith("no_such_module: ModuleNotFoundError")


def test_every_package_that_owns_cv2_or_onnxruntime_is_among_the_variants():
    tried = " ".join(" ".join(packages) for packages in installs.VARIANTS.values())

    for name in ("numpy==1.26", "numpy>=2", "opencv-python<", "-headless", "-contrib", "onnxruntime-gpu"):
        assert name in tried
