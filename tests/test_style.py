"""The formatter and the linter have nothing to say about any file."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_is_content(arguments):
    command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert said.returncode == 0, said.stdout + said.stderr
