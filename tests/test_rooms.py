"""Who may import whom, and how files are called: read from the syntax tree, for every file of the pack."""

import ast
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOST = {"comfy", "comfy_api", "comfy_extras", "comfy_execution", "comfy_config", "comfyui_version", "cuda_malloc"}
HOST |= {"nodes", "execution", "server", "main", "protocol", "app", "utils", "api_server"}
HOST |= {"folder_paths", "node_helpers", "latent_preview"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
# Modules of scripts/ that run inside the environment that the others set up.
INSIDE_THE_VENV = (
    "scripts/showing/",
    "scripts/benches/",
    "scripts/figures/intervals.py",
    "scripts/hosting/in_process.py",
)
TENSORS = {"torch", "numpy", "safetensors"}
SCHEMAS = ("_nodes.py", "_inputs.py")

# What each room of the glue may import of the glue: from the model's facts up to a cast.
GLUE = {
    "model": {"nodes/host/model/", "nodes/host/."},
    "layers": {"nodes/host/layers/", "nodes/host/model/"},
    "faces": {"nodes/host/faces/", "nodes/host/."},
    "adapters": {f"nodes/host/{room}" for room in ("adapters/", "faces/", "model/", ".")},
    "control": {f"nodes/host/{room}" for room in ("control/", "adapters/", "model/", ".")},
    "effects": {f"nodes/host/{room}" for room in ("effects/", "control/", "adapters/", "layers/", "model/", ".")},
    "cast": {f"nodes/host/{room}" for room in ("cast/", "effects/", "layers/", "model/", "adapters/", "faces/", ".")},
    "scores": {"nodes/host/scores/", "nodes/host/."},
    "refine": {f"nodes/host/{room}" for room in ("refine/", "cast/", "effects/", "adapters/", "model/", ".")},
    "doctor": {f"nodes/host/{room}" for room in ("doctor/", "adapters/", "faces/", "model/", ".")},
}

# Room: the modules from outside it may import, and the rooms of the pack. A longer path goes before a shorter one.
ROOMS = {
    "attention/regions/": ({"torch"}, {"attention/regions/"}),
    "attention/recipes/": ({"torch"}, {"attention/recipes/", "attention/regions/"}),
    "attention/figures/": ({"torch"}, {"attention/figures/", "attention/regions/"}),
    "attention/operators/": ({"torch"}, {"attention/operators/", "attention/recipes/"}),
    "attention/isolation/": ({"torch"}, {"attention/isolation/", "attention/operators/"}),
    "attention/maps/": ({"torch"}, {"attention/maps/", "attention/operators/", "attention/recipes/"}),
    "attention/routing/": ({"torch"}, {"attention/routing/", "attention/isolation/", "attention/recipes/"}),
    "attention/adapters/": ({"torch"}, {"attention/adapters/"}),
    "attention/": ({"torch"}, {"attention/."}),
    "face/": ({"numpy", "torch", "cv2", "onnxruntime", "onnx", "insightface", "safetensors"}, {"face/"}),
    "measure/": ({"numpy", "scipy", "torch", "matplotlib", "PIL", "cv2"}, {"measure/"}),
    **{
        f"nodes/host/{room}/": (TENSORS | HOST | {"PIL", "av"}, {"attention/", "face/", "measure/", "demo/.", *glue})
        for room, glue in GLUE.items()
    },
    "nodes/host/": (TENSORS | HOST | {"PIL", "av"}, {"attention/", "face/", "measure/", "demo/.", "nodes/host/"}),
    "nodes/": (TENSORS | {"comfy_api", "PIL"}, {"attention/", "face/", "measure/", "demo/.", "nodes/"}),
    "demo/train/": (
        TENSORS | HOST | {"PIL", "scipy", "cv2", "onnx", "onnxruntime"},
        {"demo/", "attention/"},
    ),
    "demo/": (TENSORS | {"PIL", "cv2"}, {"demo/."}),
    "scripts/": ({"pack_alias"}, {"scripts/"}),
    "__init__.py": (set(), {"nodes/"}),
    "install.py": (set(), set()),
}
ANYTHING = ("tests/", *INSIDE_THE_VENV)


def room_of(path: str) -> str | None:
    """The room that a file or a module path (with slashes) belongs to, the innermost one."""
    fitting = [room for room in ROOMS if path == room or path.startswith(room) or path + "/" == room]
    return max(fitting, key=len, default=None)


def opens(allowed: str, room: str) -> bool:
    """Whether an entry of the table above lets files of a room in: of that room alone where it ends in a dot."""
    return room == allowed[:-1] if allowed.endswith(".") else room.startswith(allowed)


def files(root: Path) -> list[str]:
    """Every Python and JavaScript file of the pack, relative to `root`; hidden folders are not looked into."""
    found = []
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        found += [Path(parent, name).relative_to(root).as_posix() for name in names if name.endswith((".py", "js"))]
    return sorted(found)


def imports_of(tree: ast.AST) -> list[tuple[int, str]]:
    """(level, module) of every import, wherever it stands in the file. `from . import a` counts as `.a`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is None:
            found += [(node.level, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module))
    return found


def target_of(path: str, level: int, module: str) -> str | None:
    """Where a relative import of the file `path` leads, with slashes; None when it leads out of the pack."""
    folders = path.split("/")[:-1]
    if level - 1 > len(folders):
        return None
    return "/".join([*folders[: len(folders) - (level - 1)], *module.split(".")])


def import_faults(path: str, tree: ast.AST) -> list[str]:
    """What the imports of one file break."""
    if path.startswith(ANYTHING):
        return []
    room = room_of(path)
    if room is None:
        return [f"{path}: belongs to no room"]
    outside, rooms = ROOMS[room]
    faults = []
    for level, module in imports_of(tree):
        top = module.split(".")[0]
        if level:
            target = target_of(path, level, module)
            if target is None:
                faults.append(f"{path}: a relative import leaves the pack")
            elif not any(opens(allowed, room_of(target) or "") for allowed in rooms):
                faults.append(f"{path}: {room} may not import {target}")
        elif top == "pack" and path.count("/") == 1 and room == "scripts/" and module.startswith("pack.scripts"):
            continue  # a command: it has no package around it that relative imports could start from
        elif top not in outside and top not in sys.stdlib_module_names:
            faults.append(f"{path}: {room} may not import {module}")
    return faults


def schema_faults(path: str, tree: ast.AST) -> list[str]:
    """Schemas, their inputs and sockets stand in files named so; what they call does not know the nodes' API."""
    parts = path.split("/")
    if parts[0] != "nodes" or parts[1] == "host" or len(parts) < 3 or path.endswith(SCHEMAS):
        return []
    used = any(module.split(".")[0] == "comfy_api" for level, module in imports_of(tree) if not level)
    return [f"{path}: imports comfy_api and is none of {', '.join(SCHEMAS)}"] if used else []


def circles(root: Path) -> list[list[str]]:
    """Files that import each other, wherever the imports stand."""
    known = {path for path in files(root) if path.endswith(".py") and not path.startswith(ANYTHING)}
    leads: dict[str, set[str]] = {}
    for path in known:
        targets = leads.setdefault(path, set())
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"), path)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = target_of(path, node.level, node.module or "")
                base = (base or "").rstrip("/")
                for name in (*(f"{base}/{alias.name}" for alias in node.names), base, f"{base}/__init__"):
                    targets |= {f"{name}.py"} & known - {path}
    found = []
    for start in sorted(known):
        reached, left = set(), [start]
        while left:
            new = leads[left.pop()] - reached
            reached |= new
            left += new
        if start in reached:
            found.append(start)
    return [found] if found else []


def faults_of(root: Path) -> list[str]:
    """Everything that the files under `root` break."""
    faults = []
    for path in files(root):
        if Path(path).stem in BANNED_NAMES:
            faults.append(f"{path}: a name that says nothing")
        if path.endswith(".py"):
            tree = ast.parse((root / path).read_text(encoding="utf-8"), path)
            faults += import_faults(path, tree) + schema_faults(path, tree)
            if not ast.get_docstring(tree):
                faults.append(f"{path}: does not say what it is for")
    return faults


def test_every_file_keeps_to_its_room():
    assert faults_of(ROOT) == []


def test_no_files_import_each_other():
    assert circles(ROOT) == []


def test_two_files_that_import_each_other_are_found(tmp_path):
    (tmp_path / "face").mkdir()
    for name, other in (("a", "b"), ("b", "a"), ("c", "a")):
        (tmp_path / "face" / f"{name}.py").write_text(f"from .{other} import x\n")

    assert circles(tmp_path) == [["face/a.py", "face/b.py"]]


@pytest.mark.parametrize(
    ("path", "line", "fault"),
    [
        ("attention/maps/a.py", "import comfy.utils", "attention/maps/ may not import comfy.utils"),
        (
            "attention/regions/a.py",
            "from ..recipes.cast import C",
            "may not import attention/recipes/cast",
        ),
        (
            "attention/adapters/a.py",
            "from ..operators.gated import g",
            "may not import attention/operators/gated",
        ),
        ("nodes/host/model/a.py", "from ..cast.cast_run import C", "nodes/host/model/ may not import nodes/host/cast"),
        (
            "nodes/host/layers/a.py",
            "from ..effects.prompts import P",
            "may not import nodes/host/effects/prompts",
        ),
        ("nodes/cast/scoring.py", "from comfy_api.latest import io", "imports comfy_api"),
        ("demo/a.py", "from .train.loop import Run", "demo/ may not import demo/train"),
        ("attention/a.py", "import comfy.utils", "attention/ may not import comfy.utils"),
        ("attention/a.py", "import numpy", "attention/ may not import numpy"),
        ("attention/a.py", "from ..face.engine import Face", "attention/ may not import face/engine"),
        ("attention/a.py", "from attention.masks import m", "attention/ may not import attention.masks"),
        ("attention/deep/a.py", "from ...face import engine", "attention/ may not import face"),
        ("attention/a.py", "def f():\n    from .. import nodes", "attention/ may not import nodes"),
        ("attention/a.py", "from ... import elsewhere", "a relative import leaves the pack"),
        ("face/a.py", "from ..nodes.host import images", "face/ may not import nodes/host"),
        ("face/a.py", "import nodes", "face/ may not import nodes"),
        ("measure/a.py", "from ..attention import masks", "measure/ may not import attention"),
        ("nodes/a.py", "import comfy.model_management", "nodes/ may not import comfy.model_management"),
        ("nodes/a.py", "import folder_paths", "nodes/ may not import folder_paths"),
        ("nodes/host/a.py", "from ..cast_nodes import X", "nodes/host/ may not import nodes/cast_nodes"),
        ("demo/a.py", "import comfy", "demo/ may not import comfy"),
        ("demo/train/a.py", "from ...nodes import types", "demo/train/ may not import nodes"),
        ("scripts/bootstrap/a.py", "import requests", "scripts/ may not import requests"),
        ("scripts/demo.py", "from pack.attention import masks", "scripts/ may not import pack.attention"),
        ("scripts/hosting/a.py", "import pack.scripts.bootstrap", "scripts/ may not import pack.scripts.bootstrap"),
        ("__init__.py", "import torch", "__init__.py may not import torch"),
        ("stray/a.py", "import os", "belongs to no room"),
        ("face/helpers.py", "import os", "a name that says nothing"),
        ("tests/common.py", "import os", "a name that says nothing"),
        ("web/regions/utils.mjs", "export {}", "a name that says nothing"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, path, line, fault):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'"""What it is for."""\n\n{line}\n')

    assert [found for found in faults_of(tmp_path) if fault in found]


def test_what_is_allowed_is_not_called_a_fault(tmp_path):
    allowed = {
        "__init__.py": "def f():\n    from .nodes import Troupe",
        "attention/a.py": "import math\nimport torch.nn\nfrom .masks import m\nfrom . import gates",
        "nodes/a.py": "from comfy_api.latest import io\nfrom ..face.engine import Face\nfrom .host.images import i",
        "nodes/host/a.py": "import comfy.utils, nodes, folder_paths\nfrom ...attention import masks\nfrom . import b",
        "demo/train/a.py": "import comfy.ops, torch\nfrom ..people import p\nfrom .loop import l",
        "scripts/demo.py": "import pack_alias\nfrom pack.scripts.bootstrap.lock import Lock",
        "scripts/showing/a.py": "import websocket, PIL\nfrom ..hosting.client import Client",
        "tests/a.py": "import anything_at_all",
    }
    for path, text in allowed.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f'"""What it is for."""\n\n{text}\n')

    assert faults_of(tmp_path) == []


def test_a_file_that_does_not_say_what_it_is_for_is_found(tmp_path):
    (tmp_path / "face").mkdir()
    (tmp_path / "face" / "a.py").write_text("import os\n")

    assert faults_of(tmp_path) == ["face/a.py: does not say what it is for"]
