"""The real ComfyUI for the tests beside this file: importable in this process, and as a server of its own."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.hosting.client import error_of
from pack.scripts.hosting.in_process import import_host
from pack.scripts.hosting.server import Server
from pack.scripts.showing.workflow import to_prompt
from pack.tests.host.bad_adapters import write_bad_adapters

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "network_guard"


def host_folder() -> Path:
    """Where the real ComfyUI lies: TROUPE_COMFYUI, else the private copy. Its absence is an error, never a skip."""
    folder = Path(os.environ.get("TROUPE_COMFYUI") or ROOT / ".troupe" / "ComfyUI").resolve()
    if not (folder / "comfy" / "model_patcher.py").is_file():
        raise pytest.UsageError(f"There is no ComfyUI in {folder}. Run scripts/test.py, which sets one up.")
    return folder


import_host(host_folder())


class FailedPrompt(Exception):
    """A prompt that was accepted and then failed. Its text is the failing node's class and message."""


class RealServer(Server):
    """A running ComfyUI, as tests use it. It also finds adapters in `models/ipadapter` of its base folder."""

    def command(self) -> list[str]:
        config = self.base / "test_paths.yaml"
        config.write_text("tests:\n  ipadapter: models/ipadapter\n", encoding="utf-8")
        return [*super().command(), "--extra-model-paths-config", str(config)]

    def post_prompt(self, prompt: dict, workflow: dict | None = None, timeout: float = 300) -> dict:
        """Run an API prompt and return its history. Raises PromptRefused (`.answer`) or FailedPrompt."""
        entry = self.client.wait(self.client.submit(prompt, workflow), timeout)
        error = error_of(entry)
        if error:
            raise FailedPrompt(error)
        return entry

    def images(self, entry: dict, node_id: str) -> list[bytes]:
        """The picture files that a node put out."""
        return [self.client.file(image) for image in entry["outputs"][node_id]["images"]]

    def texts(self, entry: dict, node_id: str) -> list[str]:
        """The texts that a Preview Any node showed."""
        return list(entry["outputs"][node_id]["text"])

    def object_info(self) -> dict:
        """Every node the server knows."""
        return self.client.object_info()

    def to_api(self, workflow: dict) -> dict:
        """A workflow of the editor as an API prompt."""
        return to_prompt(workflow, self.object_info())


@pytest.fixture(scope="session", autouse=True)
def host_writes_to_a_temporary_folder(tmp_path_factory):
    """Keep what nodes save in this process out of the host's own folders."""
    import folder_paths

    base = tmp_path_factory.mktemp("host")
    for name in ("input", "output", "temp", "user"):
        (base / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(base / name))


@pytest.fixture(scope="session")
def core_nodes():
    """The host's own node classes by id, those of comfy_extras included."""
    import nodes

    asyncio.run(nodes.init_builtin_extra_nodes())
    return nodes.NODE_CLASS_MAPPINGS


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real ComfyUI with this pack in it, on the CPU, with folders of its own and no way out of this machine."""
    base = tmp_path_factory.mktemp("server")
    write_bad_adapters(base / "models" / "ipadapter")
    attempts = base / "network-attempts.txt"
    variables = {
        "PYTHONPATH": str(GUARD),
        "TROUPE_NETWORK_ATTEMPTS": str(attempts),
        "OMP_NUM_THREADS": "1",
    }
    python = Path(sys.executable)
    installation = Installation(host_folder(), python, tools=python, private=True)
    with RealServer(installation, base, variables=variables) as running:
        yield running
    tried = attempts.read_text(encoding="utf-8") if attempts.exists() else ""
    assert not tried, f"Something in the server wanted to leave this machine, for:\n{tried}"


@pytest.fixture
def to_api(server):
    """Convert a workflow of the editor with the running server's own node list."""
    return server.to_api
