"""Image files with flipped bits or a missing end, read by ComfyUI and looked at by us, in a process that may die."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ....demo.people_by_name import photo_of
from ....face.damage import DamagedPhoto
from ....face.engine import NoFaceFound, Search
from ....face.extraction import extract_identity
from ....face.extraction_words import LOOK
from ....face.onnx_engine import load_engine
from ....face.pack import read_pack
from ....face.strangers import DIFFERENT
from ...bootstrap.installation import Installation
from ...bootstrap.places import ROOT
from ...figures.samples import Values

KINDS = {"jpg": {"quality": 92}, "png": {}, "webp": {"quality": 90}}
OUTCOMES = ("crash", "unclear", "unreadable", "no face", "damaged", "right", "unsure", "other")
CLEAR_OR_RIGHT = ("unreadable", "no face", "damaged", "right")
FLIPS = (1, 4, 16, 64, 256)
WORKER = (
    "import sys; sys.path.insert(0, sys.argv[1]); import pack_alias; "
    "from pack.scripts.benches.face_search.broken_files import work; work(*sys.argv[2:])"
)


def examine(installation: Installation, count: int, status: Callable[[str], None]) -> Values:
    """What became of `count` files: 1 per file under its outcome. A process that dies counts, and another goes on."""
    values: Values = {name: [] for name in OUTCOMES}
    done = 0
    while done < count:
        for outcome in _outcomes(installation, done, count):
            status(f"  broken file {done + 1} of {count}")
            for name in OUTCOMES:
                values[name].append(float(name == outcome))
            done += 1
    return values


def _outcomes(installation: Installation, start: int, count: int) -> Iterator[str]:
    command = [str(installation.python), "-c", WORKER, str(ROOT / "scripts"), str(installation.comfyui)]
    with subprocess.Popen([*command, str(start), str(count)], stdout=subprocess.PIPE, text=True) as process:
        seen = start
        for line in process.stdout:
            if line.startswith("{"):
                seen += 1
                yield json.loads(line)["outcome"]
    if seen < count:
        yield "crash"


def work(comfyui: str, start: str, count: str) -> None:
    """The worker: a JSON line for each file from `start` on."""
    from ...hosting.in_process import import_host

    import_host(Path(comfyui))
    import folder_paths
    import torch

    import nodes

    folder = ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
    engine = load_engine(read_pack("troupe-demo", folder), "CPU")
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder_paths.set_input_directory(scratch)
        originals = intact_files(Path(scratch))
        picture = (photo_of("Ada").numpy() * 255).round().astype(np.uint8)
        true = extract_identity(engine, [picture], "Ada").identity.embeddings[engine.recogniser][0]
        for index in range(int(start), int(count)):
            kind, data = originals[index % len(originals)]
            path = Path(scratch, f"broken.{kind}")
            path.write_bytes(broken(data, index))
            print(json.dumps({"outcome": outcome_of(nodes, engine, path, true)}), flush=True)
    sys.stdout.flush()


def outcome_of(nodes, engine, path: Path, true: np.ndarray) -> str:
    """What becomes of one file in Load Image and, as it is set at first, Extract Identity.

    Load Image may refuse it in any way it likes, as long as it says something.
    """
    from ....nodes.host.faces.photo_file import flaw_of
    from ....nodes.host.images import to_pictures

    try:
        image = nodes.LoadImage().load_image(path.name)[0]
    except Exception as error:
        return "unreadable" if str(error).strip() else "unclear"
    try:
        found = extract_identity(engine, to_pictures(image), "Ada", search=Search(), flaw=flaw_of(path))
    except NoFaceFound:
        return "no face"
    except DamagedPhoto:
        return "damaged"
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "unclear"
    rows = found.identity.embeddings[engine.recogniser]
    cosine = float(rows[0] @ true / np.linalg.norm(rows[0]) / np.linalg.norm(true))
    if np.isfinite(rows).all() and cosine >= DIFFERENT:
        return "right"
    return "unsure" if LOOK in found.report[0] else "other"


def intact_files(folder: Path) -> list[tuple[str, bytes]]:
    """The same photo in each kind of file."""
    from PIL import Image

    image, found = Image.fromarray((photo_of("Ada").numpy() * 255).round().astype(np.uint8)), []
    for kind, options in KINDS.items():
        image.save(folder / f"intact.{kind}", **options)
        found.append((kind, (folder / f"intact.{kind}").read_bytes()))
    return found


def broken(data: bytes, index: int) -> bytes:
    """A file with its end cut off (every third), or with bits flipped, for some of them in the first 64 bytes."""
    draw = np.random.default_rng(index)
    if index // len(KINDS) % 3 == 0:
        return data[: int(draw.integers(len(data)))]
    changed = bytearray(data)
    reach = 64 if index // len(KINDS) % 3 == 1 and index % 2 else len(data)
    for place in draw.integers(0, reach, FLIPS[int(draw.integers(len(FLIPS)))]):
        changed[place] ^= 1 << int(draw.integers(8))
    return bytes(changed)
