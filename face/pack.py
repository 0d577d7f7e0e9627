"""Finds face packs in model folders, and the detector and recogniser in a pack by what the files take and give.

A pack is a folder of ONNX files in InsightFace's layout. File names are not trusted: packs name them differently, and
archives unpacked twice hide them one folder deeper (antelopev2/antelopev2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .detector import DYNAMIC_SIZE
from .onnx_graph import GraphOutline, read_outline
from .recogniser import CROP_SIZE

DETECTOR_OUTPUTS = (6, 9, 10, 15)  # 3 or 5 feature maps, each with scores and boxes, possibly with key points
LARGEST_INPUT = 2048  # pixels along a side: published detectors of a fixed size take 320 to 1280
EMBEDDINGS = (128, 256, 512, 1024)  # numbers that recognisers give, of whatever size
LANDMARKS, LANDMARK_POINTS, LANDMARK_SIDE = "landmarks", 106, 192
SMALLEST_EMBEDDING = 128  # age, gender and landmark graphs give fewer or far more numbers, and take other sizes


@dataclass(frozen=True)
class FacePack:
    """A complete pack: its name and its two files with their outlines; and its landmark model, where it has one."""

    name: str
    detector: Path
    detector_outline: GraphOutline
    recogniser: Path
    recogniser_outline: GraphOutline
    landmarks: Path | None = None


def find_packs(bases: Sequence[Path]) -> dict[str, Path]:
    """Folders that hold ONNX files, flat or one level deeper, under each base's `models` folder and the base itself.

    Name to folder, in the order of the bases, then by name; of two packs with one name the first is kept. No file is
    opened.
    """
    packs: dict[str, Path] = {}
    for base in bases:
        for parent in (base / "models", base):
            for folder in _folders(parent):
                if folder != base / "models" and any(_onnx_files(home) for home in _homes(folder)):
                    packs.setdefault(folder.name, folder)
    return packs


def read_pack(name: str, folder: Path) -> FacePack:
    """The pack in `folder` or one level below it. Raises ValueError, listing what each file is, if it is incomplete."""
    seen: list[str] = []
    for home in _homes(folder):
        found: dict[str, tuple[Path, GraphOutline]] = {}
        for path in _onnx_files(home):
            try:
                outline = read_outline(path)
            except ValueError as error:
                seen.append(f"  {path.relative_to(folder)}: damaged. {error}")
                continue
            kind = kind_of(outline)
            seen.append(f"  {path.relative_to(folder)}: {kind or why_neither(outline)}")
            if kind:
                found.setdefault(kind, (path, outline))
        if "detector" in found and "recogniser" in found:
            landmarks, _ = found.get(LANDMARKS, (None, None))
            return FacePack(name, *found["detector"], *found["recogniser"], landmarks)
    raise ValueError(
        f"The face pack '{name}' in {folder} is not complete: it needs a face detector and a face recogniser "
        "in one folder. Found:\n" + "\n".join(seen or ["  no .onnx file"]) + f"\nExpected:\n{expected_tree(folder)}"
    )


def kind_of(outline: GraphOutline) -> str | None:
    """'detector', 'recogniser', 'landmarks' (106 of them), or None for any other graph, such as age."""
    takes = next(iter(outline.inputs.values()), ())
    if len(takes) != 4 or takes[1] not in (3, None) or len(outline.inputs) != 1:
        return None
    if len(outline.outputs) in DETECTOR_OUTPUTS:
        return "detector" if all((side or 1) <= LARGEST_INPUT for side in takes[2:]) else None
    gives = next(iter(outline.outputs.values()), ())
    if len(outline.outputs) == 1 and gives[-1:] == (2 * LANDMARK_POINTS,) and takes[2:] == (LANDMARK_SIDE,) * 2:
        return LANDMARKS
    embeds = len(outline.outputs) == 1 and (not gives or gives[-1] is None or gives[-1] >= SMALLEST_EMBEDDING)
    return "recogniser" if embeds and takes[2:] == (CROP_SIZE, CROP_SIZE) else None


def why_neither(outline: GraphOutline) -> str:
    """What a graph is that is no detector and no recogniser that can be used, for messages."""
    takes, gives = next(iter(outline.inputs.values()), ()), next(iter(outline.outputs.values()), ())
    if len(outline.inputs) != 1 or len(takes) != 4 or takes[1] != 3:
        return "something else"
    if len(outline.outputs) in DETECTOR_OUTPUTS:
        return f"a detector that takes {takes[3]}x{takes[2]} pixels; {LARGEST_INPUT}x{LARGEST_INPUT} are the most"
    if not gives or gives[-1] not in EMBEDDINGS:
        return "something else"
    if takes[2:] != (CROP_SIZE, CROP_SIZE):
        return f"a recogniser of faces of {takes[3]}x{takes[2]} pixels; adapters need one of {CROP_SIZE}x{CROP_SIZE}"
    return f"a recogniser with {len(outline.outputs)} outputs, so which one describes a face is not known"


def content_hash(path: Path) -> str:
    """The first 16 hex characters of the SHA-256 of a file: what it is known by, whatever it is called."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def fixed_input_size(outline: GraphOutline) -> tuple[int, int] | None:
    """Width and height of the only input a detector takes; None where it takes any."""
    (_, _, height, width), *_ = outline.inputs.values()
    return (width, height) if width and height else None


def input_size(outline: GraphOutline) -> tuple[int, int]:
    """Width and height of the first look: as stored in the graph, or the published packs' default."""
    return fixed_input_size(outline) or DYNAMIC_SIZE


def expected_tree(folder: Path) -> str:
    """What a complete pack looks like on disk, for messages, with the file names of the two published packs."""
    return (
        f"  {folder}\n"
        "    det_10g.onnx    or scrfd_10g_bnkps.onnx   (detector)\n"
        "    w600k_r50.onnx  or glintr100.onnx         (recogniser)"
    )


def _homes(folder: Path) -> list[Path]:
    return [folder, *_folders(folder)]


def _folders(parent: Path) -> list[Path]:
    return [path for path in _entries(parent) if path.is_dir()]


def _onnx_files(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.suffix.lower() == ".onnx" and path.is_file()]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # missing or not readable: nothing of ours is in it, and one bad folder must not hide the others
        return []
