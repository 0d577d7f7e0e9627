"""The pure modules under web/, tested by `node --test` with the Node that comes with Playwright."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

MODULES = Path(__file__).parent / "modules"
WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.mark.parametrize("file", sorted(MODULES.glob("*.test.mjs")), ids=lambda file: file.name)
def test_modules(file):
    node = compute_driver_executable()[0]
    ended = subprocess.run([node, "--test", "--test-reporter=spec", str(file)], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"pass [1-9]", ended.stdout)


OURS = sorted(file for file in WEB.rglob("*.*js") if "vendor" not in file.parts)


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_every_module_is_short_says_what_it_is_for_and_keeps_to_its_room(file):
    text = file.read_text(encoding="utf-8")
    sources = re.findall(r'(?:\bfrom|^import) "([^"]+)";$', text, re.MULTILINE)

    assert text.startswith(("/** ", "/**\n * "))
    assert len(text.splitlines()) < 200
    if file.suffix == ".js":  # ComfyUI imports every one
        assert file.parent == WEB
    else:
        assert all((file.parent / source).resolve().is_relative_to(WEB) for source in sources if source[0] == ".")
        assert not [source for source in sources if source[0] != "."]
        assert "window.app" not in text
