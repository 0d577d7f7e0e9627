"""The real ComfyUI for the tests beside this file: importable in this process, and as a server of its own."""

import os
import sys
from pathlib import Path

import pytest
import torch
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.hosting.in_process import import_host
from pack.tests.host.bad_adapters import write_bad_adapters
from pack.tests.host.finished import finished
from pack.tests.host.real_server import RealServer
from torch.utils._python_dispatch import TorchDispatchMode

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "network_guard"


def host_folder() -> Path:
    """Where the real ComfyUI lies: TROUPE_COMFYUI, else the private copy. Its absence is an error, never a skip."""
    folder = Path(os.environ.get("TROUPE_COMFYUI") or ROOT / ".troupe" / "ComfyUI").resolve()
    if not (folder / "comfy" / "model_patcher.py").is_file():
        raise pytest.UsageError(f"There is no ComfyUI in {folder}. Run scripts/test.py, which sets one up.")
    return folder


import_host(host_folder())

from pack.nodes.host.effects.identities import IdentityTerm  # noqa: E402
from pack.tests.host import (  # noqa: E402 (they need the host)
    tiny_adapters,
    tiny_control,
    tiny_instantid,
    tiny_models,
    tiny_pulid,
)
from pack.tests.host.vae import random_vae  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def host_writes_to_a_temporary_folder(tmp_path_factory):
    """Keep what nodes save in this process out of the host's own folders."""
    import folder_paths

    base = tmp_path_factory.mktemp("host")
    for name in ("input", "output", "temp", "user"):
        (base / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(base / name))


@pytest.fixture(scope="module", autouse=True)
def as_nodes_run():
    """In inference mode, as ComfyUI runs nodes: what one test loads, others can use. Modules that train override it."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def core_nodes():
    """The host's own node classes by id, those of comfy_extras included."""
    import nodes

    finished(nodes.init_builtin_extra_nodes())
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


@pytest.fixture(scope="module")
def model():
    """A tiny real UNet, a model patcher."""
    return tiny_models.tiny_model()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter that fits it."""
    return tiny_models.tiny_adapter(tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def control():
    """A tiny real ControlNet."""
    return tiny_control.tiny_control()


@pytest.fixture
def hinted(control):
    """The positive prompt with that ControlNet and a hint."""
    hint = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(6))
    own = control.copy().set_cond_hint(hint, 0.5)
    return [[tiny_models.POSITIVE[0][0], {"control": own, "control_apply_to_uncond": True}]]


@pytest.fixture(scope="module")
def vae():
    """A VAE of random weights."""
    return random_vae()


@pytest.fixture(scope="module")
def instantid(tmp_path_factory):
    """InstantID's adapter, as tiny."""
    return tiny_adapters.tiny_of("instantid", tmp_path_factory.mktemp("instantid"))


@pytest.fixture(scope="module")
def pulid(tmp_path_factory):
    """Makes PuLID's adapters, as tiny, by version and settings."""
    with pytest.MonkeyPatch.context() as patch:
        yield tiny_pulid.pulid_maker(tmp_path_factory, patch)


class RecordOperations(TorchDispatchMode):
    """The names of the operations that run."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(func._schema.name.split("::")[1])
        return func(*args, **(kwargs or {}))


@pytest.fixture
def identity_operations(monkeypatch):
    """(sample: () -> anything) -> names of the operations by which identities answer layers, and how many layers."""

    def watched(run):
        record, answered, original = RecordOperations(), [], IdentityTerm.__call__

        def recorded(self, *arguments):
            answered.append(1)
            with record:
                return original(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(IdentityTerm, "__call__", recorded)
            run()
        return record.seen, len(answered)

    return watched


@pytest.fixture
def applied(control, instantid):
    """Prompts of a cast with the IdentityNet, by role."""

    def apply(cast, adapter=instantid, net=control, **options):
        return tiny_instantid.with_identity_net(net, adapter, cast, **options)

    return apply


@pytest.fixture(params=tiny_models.MODES)
def mode(request):
    """Every mode in turn."""
    return request.param


@pytest.fixture
def patched(model, adapter, mode):
    """The model with two people side by side."""
    return tiny_models.apply(model, tiny_models.TWO, adapter, mode=mode)


@pytest.fixture
def unet_calls(model):
    """The rows of every call of the UNet so far."""
    rows = []
    hook = model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    yield rows
    hook.remove()
