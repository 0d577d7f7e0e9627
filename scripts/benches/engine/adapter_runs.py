"""Load a full-size adapter and project people with it, several times: what that takes in time and memory."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import torch
from safetensors.torch import save_file

from ....face.alignment import TEMPLATE_112
from ....face.identity import Identity
from ...bootstrap.installation import Installation
from ...hosting.accelerator import has_accelerator
from ...hosting.in_process import import_host
from .adapter_files import PUBLISHED, nested, random_state
from .eva_file import eva_clip
from .structures import SDXL

FACEID, PULID_FLUX = "ip-adapter-faceid-plusv2_sdxl", "pulid_flux_v0.9.1"
EVA = "eva.safetensors"
PAUSE = 0.003  # seconds between samples of memory


@dataclass
class AdapterRuns:
    """Samples, one for each time the file was loaded; bytes and seconds.

    read, load    : time to read the file's bytes, and to load it
    first, later  : time of a run that makes keys and values, and of one that finds them
    later_rows    : rows that the later run projected
    peak, after   : memory beyond that before loading, at its highest and after both runs
    """

    file_bytes: int
    kept_bytes: int = 0
    read: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    later_rows: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    def add(self, sample: dict[str, float]) -> None:
        """Append the figures of one process."""
        self.kept_bytes = int(sample.pop("kept_bytes"))
        for name, value in sample.items():
            getattr(self, name).append(value)


def adapter_runs(installation: Installation, name: str, people: int, repeats: int) -> AdapterRuns:
    """Write the file `name`, one of the two above with a suffix, then load and use it `repeats` times.

    Each time is in a process of its own, which inherits no memory.
    """
    cpu = not has_accelerator(installation.python)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        _write(path)
        runs = AdapterRuns(path.stat().st_size)
        fresh = multiprocessing.get_context("spawn")
        for _ in range(repeats):
            with ProcessPoolExecutor(1, mp_context=fresh) as process:
                runs.add(process.submit(one_process, installation.comfyui, cpu, path, people).result())
    return runs


@torch.inference_mode()
def one_process(comfyui: Path, cpu: bool, path: Path, people: int) -> dict[str, float]:
    """Load the file, make keys and values of people, and have them again: figures by the names of `AdapterRuns`."""
    import_host(comfyui, cpu=cpu)
    from ....nodes.host.adapters.adapter_model import load_adapter
    from ....nodes.host.adapters.loaded_adapter import AdapterSettings

    flux = path.stem == PULID_FLUX
    settings, identities = AdapterSettings(recogniser="any"), [_person(n) for n in range(people)]
    eva, encoder = (_eva(path.parent), None) if flux else (None, _encoder())
    blocks = _places() if flux else _blocks()
    read = _seconds(lambda: _read(path))[0]
    rows: list[int] = []
    with watched_memory() as memory:
        load, adapter = _seconds(lambda: load_adapter(path, path.name, settings, encoder))
        adapter.module.projection.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
        first = _seconds(lambda: _run(adapter, identities, blocks))[0]
        rows.clear()
        later = _seconds(lambda: _run(adapter, identities, blocks))[0]
    del eva
    figures = {"read": read, "load": load, "first": first, "later": later, "later_rows": float(sum(rows))}
    return {**figures, "peak": max(memory), "after": memory[-1], "kept_bytes": adapter.kept.bytes}


def _read(path: Path) -> None:
    """Read a file's bytes without holding more than a few of them."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _run(adapter: Any, identities: list[Identity], blocks: list) -> None:
    """What a run of the graph does between Apply Cast and the first layer."""
    import comfy.model_management

    from ....nodes.host.adapters.adapter_group import group_of
    from ....nodes.host.adapters.keys_values import keys_values_of

    device = comfy.model_management.get_torch_device()
    group = group_of(adapter, range(len(identities)), identities, "average")
    keys_values_of([group], blocks, device, torch.float16)


def _places() -> list:
    """The blocks of FLUX.1 behind which people of PuLID are added."""
    from ....nodes.host.effects.pulid_flux import Crossing

    places = [*(("double_block", i) for i in range(0, 19, 2)), *(("single_block", i) for i in range(0, 38, 4))]
    return [Crossing(place, width) for place, width in zip(places, PUBLISHED[PULID_FLUX].widths, strict=True)]


def _eva(folder: Path) -> Any:
    """EVA02-CLIP with 21 thin blocks, five features and its file where it is found; held, so that it is read once."""
    import folder_paths

    from ....nodes.host.adapters.eva_encoder import load_eva

    path = folder / EVA
    if not path.exists():
        save_file(random_state(eva_clip(depth=21, hidden=8, cells=2), dtype=torch.float16), path)
    folder_paths.add_model_folder_path("clip_vision", str(folder), is_default=True)
    return load_eva(path, EVA)


def _blocks() -> list:
    """The cross-attention layers of SDXL, of a UNet without weights."""
    import comfy.ops
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    from ....nodes.host.model.blocks import cross_attention_blocks

    unet = UNetModel(**SDXL.unet, dtype=torch.float16, device="meta", operations=comfy.ops.disable_weight_init)
    return cross_attention_blocks(SimpleNamespace(model=SimpleNamespace(diffusion_model=unet)))


def _encoder() -> Any:
    """An image encoder in the shape of ViT-H with two of its 32 layers: encoding is not what is measured."""
    import comfy.clip_vision

    config = {
        "model_type": "clip_vision_model",
        "hidden_size": 1280,
        "projection_dim": 1024,
        "image_size": 224,
        "patch_size": 14,
        "num_channels": 3,
    }
    config |= {"intermediate_size": 1280, "num_attention_heads": 16, "num_hidden_layers": 2, "hidden_act": "gelu"}
    encoder = comfy.clip_vision.ClipVisionModel(config)
    encoder.load_sd(random_state({key: tuple(value.shape) for key, value in encoder.model.state_dict().items()}))
    return encoder


def _person(seed: int) -> Identity:
    numbers = np.random.default_rng(seed)
    return Identity(
        name=f"person {seed}",
        embeddings={"random": numbers.normal(size=(1, 512)).astype(np.float32)},
        crops=numbers.integers(0, 256, (1, 112, 112, 3), dtype=np.uint8),
        keypoints=TEMPLATE_112[None].astype(np.float32),
        boxes=np.array([[0, 0, 112, 112]], np.float32),
        photos=(numbers.integers(0, 256, (256, 256, 3), dtype=np.uint8),),
    )


def _write(path: Path) -> None:
    state = random_state(PUBLISHED[path.stem].shapes(), dtype=torch.float16)
    if path.suffix == ".bin":
        torch.save(nested(state), path)
    else:
        save_file(state, path)


def _seconds(job: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    made = job()
    return time.perf_counter() - begun, made


@contextmanager
def watched_memory() -> Iterator[list[int]]:
    """Bytes of this process beyond those at the beginning, sampled until the end."""
    process, samples, ended = psutil.Process(), [], threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not ended.wait(PAUSE):
            samples.append(process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
        samples.append(process.memory_info().rss - before)
