"""Sound photos in many files: none of them may be refused. Read and looked at in a process that has the host."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from ....demo.people_by_name import NAMES, photo_of
from ....face.engine import DamagedPhoto, NoFaceFound, Search
from ....face.extraction import extract_identity
from ....face.onnx_engine import load_engine
from ....face.pack import read_pack
from ...bootstrap.installation import Installation
from ...bootstrap.places import ROOT
from ...figures.samples import Values

OUTCOMES = ("refused", "no face", "taken")
WORKER = (
    "import sys; sys.path.insert(0, sys.argv[1]); import pack_alias; "
    "from pack.scripts.benches.face_search.sound_files import work; work(*sys.argv[2:])"
)
LARGE = 3 << 19  # bytes of a profile or text: beyond what Pillow reads of one


def examine(installation: Installation, count: int, status: Callable[[str], None]) -> Values:
    """What became of `count` files: 1 per file under its outcome. RuntimeError where the process dies."""
    command = [str(installation.python), "-c", WORKER, str(ROOT / "scripts"), str(installation.comfyui), str(count)]
    values: Values = {name: [] for name in OUTCOMES}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in filter(lambda line: line.startswith("{"), process.stdout):
            found = json.loads(line)
            for name in OUTCOMES:
                values[name].append(float(name == found["outcome"]))
            if found["outcome"] != "taken":
                status(f"  {found['file']}: {found['outcome']}")
    if len(values["taken"]) != count:
        raise RuntimeError(f"Of {count} sound files {len(values['taken'])} were examined; the process ended.")
    return values


def work(comfyui: str, count: str) -> None:
    """The worker: a JSON line for each file."""
    from ...hosting.in_process import import_host

    import_host(Path(comfyui))
    import folder_paths

    import nodes

    from ....nodes.host.faces.photo_file import flaw_of
    from ....nodes.host.images import to_pictures

    folder = ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
    engine = load_engine(read_pack("troupe-demo", folder), "CPU")
    with tempfile.TemporaryDirectory() as scratch:
        folder_paths.set_input_directory(scratch)
        for _, (label, data) in zip(range(int(count)), files(), strict=False):
            path = Path(scratch, label.split()[-1])
            path.write_bytes(data)
            photo = still_of(data) if "still" in label else to_pictures(nodes.LoadImage().load_image(path.name)[0])[0]
            try:
                extract_identity(engine, [photo], "Ada", search=Search(), flaw=flaw_of(path))
                outcome = "taken"
            except DamagedPhoto:
                outcome = "refused"
            except NoFaceFound:
                outcome = "no face"
            print(json.dumps({"file": label, "outcome": outcome}), flush=True)


def files() -> Iterator[tuple[str, bytes]]:
    """Endless photos of the demo's people in all kinds of files: words that end in a file name, and the bytes."""
    draw = np.random.default_rng(11)
    while True:
        for name in NAMES:
            photo = (photo_of(name, int(draw.integers(96, 512))).numpy() * 255).round().astype(np.uint8)
            for change, changed in changes(photo, draw):
                for kind, data in encoded(changed, draw):
                    yield f"{name}, {change}, {kind}", data


def changes(photo: np.ndarray, draw: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """What people do to a photo before they save it, uint8 [H, W, 3]."""
    yield "as it is", photo
    for times in (2, 4):
        small = photo[::times, ::times]
        yield f"{times} times enlarged", small.repeat(times, 0).repeat(times, 1)
    height, width = photo.shape[:2]
    for shade in (0, 128, 255):
        boxed = np.full((height + 2 * int(draw.integers(8, height // 3)), width, 3), shade, np.uint8)
        top = (len(boxed) - height) // 2
        boxed[top : top + height] = photo
        yield f"bars of {shade}", boxed
        boxed = np.full((height + int(draw.integers(8, height // 2)), width, 3), shade, np.uint8)
        boxed[:height] = photo
        yield f"a bar of {shade} below", boxed
    screen = np.full((height + 96, width + 160, 3), 236, np.uint8)
    screen[:32], screen[-24:], screen[32:-24, :48] = 52, 24, 214
    screen[48 : 48 + height, 96 : 96 + width] = photo
    yield "a screenshot", screen
    blocks = photo[: height // 8 * 8, : width // 8 * 8].copy()
    blocks[::8] = blocks[::8] // 2 + 96
    yield "with lines at blocks", blocks


def encoded(photo: np.ndarray, draw: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """One photo in files of each kind, among them odd ones that readers still take."""
    image, quality = Image.fromarray(photo), int(draw.integers(20, 101))
    jpeg, png = saved(image, "JPEG", quality=quality), saved(image, "PNG")
    yield f"quality {quality} a.jpg", jpeg
    yield "progressive a.jpg", saved(image, "JPEG", progressive=True, subsampling=int(draw.integers(3)))
    yield "without its end mark a.jpg", jpeg[:-2]
    yield "with bytes behind it a.jpg", jpeg + bytes(1000)
    yield "a.png", png
    yield "with bytes behind its end a.png", png + b"odds" * 99
    yield "with a large profile a.png", saved(image, "PNG", icc_profile=draw.bytes(LARGE))
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("workflow", "w" * LARGE, zip=True)
    yield "with a large text a.png", saved(image, "PNG", pnginfo=texts)
    yield "with a wrong checksum of a text a.png", png[:33] + chunk(b"tEXt", b"a\0b", wrong=1) + png[33:]
    yield f"quality {quality} a.webp", saved(image, "WEBP", quality=max(30, quality))
    yield "lossless a.webp", saved(image, "WEBP", lossless=True)
    yield "animated a.webp", saved(image, "WEBP", save_all=True, append_images=[image.rotate(1)], duration=99)
    yield "a video's still a.mp4", video(photo)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    """The bytes of a picture's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, wrong: int = 0) -> bytes:
    """A part of a PNG file; `wrong` is added to its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", (zlib.crc32(kind + data) + wrong) % 2**32)


def video(photo: np.ndarray) -> bytes:
    """A video of one frame in H.264."""
    import av

    even = np.ascontiguousarray(photo[: len(photo) // 2 * 2, : photo.shape[1] // 2 * 2])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1, width=even.shape[1], height=even.shape[0], pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(even, "rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def still_of(data: bytes) -> np.ndarray:
    """The first frame of a video, uint8 [H, W, 3]."""
    import av

    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")
