"""The archive for the Comfy Registry: made by comfy-cli, accepted by it, and a whole pack in a folder of any name."""

import ast
import os
import posixpath
import re
import subprocess
import sys
import zipfile

import folder_paths
import pytest
from pack.nodes import NODES
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.finished import finished
from pack.tests.test_rooms import imports_of, target_of

HOST = folder_paths.base_path
WITH_THIS_PYTHON = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}

PARTS = ("attention", "demo", "face", "locales", "measure", "nodes", "scripts", "subgraphs", "web", "workflows")
FOLDER = "troupe 1.0 (copy)"
MOST_BYTES = 60_000_000
pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")  # comfy-cli's own
SECURITY = ("S102", "S307", "E702")  # what `comfy node validate` looks for: exec, eval, several statements on a line


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive that `comfy node pack` makes of the tracked files."""
    from comfy_cli.file_utils import zip_files

    path = tmp_path_factory.mktemp("registry") / "node.zip"
    here = os.getcwd()
    os.chdir(ROOT)
    try:
        zip_files(path)
    finally:
        os.chdir(here)
    return path


def test_the_archive_holds_the_pack_and_nothing_of_its_making(archive):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()

    tops = {name.split("/")[0] for name in names if "/" in name}
    assert tops == {*PARTS, "docs"}
    for wanted in (
        "__init__.py",
        "pyproject.toml",
        "requirements.txt",
        "LICENSE",
        "README.md",
        "demo/weights/unet.safetensors",
        "demo/weights/insightface/models/troupe-demo/detector.onnx",
        "locales/de/nodeDefs.json",
        "scripts/doctor.py",
        "install.py",
        "NOTICE",
        "web/region_editor.js",
        "web/docs/Troupe_ApplyCast.md",
        "workflows/10 Two people, wired by hand.json",
        "workflows/10 Two people, wired by hand.jpg",
    ):
        assert wanted in names
    unwanted = ("demo/train/", "scripts/bench", "scripts/demo", "scripts/train", "scripts/figures", ".ci", ".git")
    assert [name for name in names if name.startswith(unwanted) or "test" in name] == []
    assert archive.stat().st_size < MOST_BYTES


def test_all_python_of_the_archive_finds_what_it_imports(archive, tmp_path):
    """Of the pack itself: nothing ships that cannot run there."""
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        sources = {name: opened.read(name) for name in names if name.endswith(".py")}

    lacking = []
    for name, source in sources.items():
        for level, module in imports_of(ast.parse(source)):
            place = target_of(name, level, module) if level else "/".join(module.split(".")[1:])
            ours = level or module.startswith("pack.")
            if ours and not {f"{place}.py", f"{place}/__init__.py"} & names:
                lacking.append(f"{name}: {'.' * level}{module}")
    assert lacking == []


def test_every_link_of_the_archives_pages_leads_somewhere(archive):
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        pages = {name: opened.read(name).decode() for name in names if name.endswith(".md")}

    dead = []
    for page, text in pages.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link.partition("#")[0] or page))
            if not link.startswith("https://") and link[0] != "#" and path not in names:
                dead.append(f"{page}: {link}")
    assert dead == []


def test_the_doctor_of_the_archive_sets_nothing_up(archive, tmp_path):
    """As on ComfyUI Desktop: models and custom_nodes in a folder of the user's, main.py elsewhere."""
    folder = tmp_path / "custom_nodes" / FOLDER
    (tmp_path / "models" / "ipadapter").mkdir(parents=True)
    (tmp_path / "input").mkdir()
    (tmp_path / "models" / "ipadapter" / "mine.safetensors").write_bytes(b"no weights")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    before = sorted(tmp_path.rglob("*"))
    doctor = [sys.executable, "-B", str(folder / "scripts" / "doctor.py")]

    alone = subprocess.run(doctor, capture_output=True, text=True)
    named = subprocess.run([*doctor, "--comfyui", HOST], capture_output=True, text=True, env=WITH_THIS_PYTHON)

    assert alone.returncode == 1
    assert alone.stdout == ""
    assert f"There is no main.py in {tmp_path}" in alone.stderr
    assert "--comfyui PATH" in alone.stderr
    assert named.returncode == 0, named.stderr
    assert f"[{tmp_path / 'models' / 'ipadapter' / 'mine.safetensors'}]" in named.stdout
    assert "10 Two people, wired by hand: complete" in named.stdout
    assert [
        path for path in sorted(tmp_path.rglob("*")) if path not in before and "__pycache__" not in path.parts
    ] == []


def test_every_workflow_of_the_archive_has_a_thumbnail(archive):
    with zipfile.ZipFile(archive) as opened:
        names = {name for name in opened.namelist() if name.startswith("workflows/")}

    assert {name.removesuffix(".json") + ".jpg" for name in names if name.endswith(".json")} <= names


def test_comfy_cli_reads_the_metadata_without_a_word(capsys):
    from comfy_cli.registry.config_parser import extract_node_configuration

    config = extract_node_configuration(str(ROOT / "pyproject.toml"))

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert config.project.name == "troupe-multi-identity"
    assert config.project.requires_python == ">=3.10"
    assert config.project.license.file == "LICENSE"
    assert config.project.urls.repository.startswith("https://")
    assert not config.project.supported_os
    assert config.project.supported_comfyui_version == ">=0.16.3"
    assert config.tool_comfy.publisher_id
    assert config.tool_comfy.display_name == "ComfyUI-Troupe"


def test_comfy_clis_security_rules_find_nothing():
    command = [sys.executable, "-m", "ruff", "check", ".", "-q", "--no-cache", "--select", ",".join(SECURITY)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert said.stdout == ""


def test_the_archive_works_in_a_folder_of_any_name(archive, tmp_path, monkeypatch):
    """By ComfyUI's own loader, with a node that needs the weights."""
    import nodes as host

    for registry in ("NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "EXTENSION_WEB_DIRS", "LOADED_MODULE_DIRS"):
        monkeypatch.setattr(host, registry, dict(getattr(host, registry)))
    modules = dict(sys.modules)
    folder = tmp_path / "custom_nodes" / FOLDER
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    try:
        assert finished(host.load_custom_node(str(folder)))

        ours = {name: node for name, node in host.NODE_CLASS_MAPPINGS.items() if name.startswith("Troupe_")}
        assert set(ours) == {node.GET_SCHEMA().node_id for node in NODES}
        assert host.EXTENSION_WEB_DIRS[FOLDER] == str(folder / "web")
        world = ours["Troupe_LoadDemoWorld"].execute()
        assert all(value is not None for value in world.args)
        assert str(folder) in sys.modules[ours["Troupe_LoadDemoWorld"].__module__].__file__
    finally:
        for name in set(sys.modules) - set(modules):
            del sys.modules[name]
