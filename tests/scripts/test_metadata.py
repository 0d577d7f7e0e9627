"""What the registry and pip read about the pack agrees with itself."""

import re
import subprocess

from pack.scripts.bootstrap.places import ROOT

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, where pytest brings the same parser
    import tomli as tomllib

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(lines):
    """Requirements in one spelling."""
    return {re.sub(r"\s+", "", line).replace("'", '"') for line in lines if line.strip() and not line.startswith("#")}


def test_both_lists_of_requirements_are_one():
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert requirements(listed) == requirements(PYPROJECT["project"]["dependencies"])


def test_the_registry_gets_what_it_asks_for():
    project, comfy = PYPROJECT["project"], PYPROJECT["tool"]["comfy"]
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,99}", project["name"])
    assert "comfyui" not in project["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert re.fullmatch(r">=\d+\.\d+\.\d+", comfy["requires-comfyui"])
    assert (ROOT / project["license"]["file"]).read_text(encoding="utf-8").lstrip().startswith("Apache License")
    assert {"PublisherId", "DisplayName"} <= set(comfy)


def test_the_changelog_knows_the_version():
    assert f"## {PYPROJECT['project']['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_the_scripts_make_is_not_tracked():
    made = [".troupe/venv", "demo-output/picture.png", "attention/__pycache__/x.pyc"]
    ignored = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True)
    assert ignored.stdout.split() == made
