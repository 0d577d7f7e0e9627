"""The CLIP vision encoders in ComfyUI's folders, with their shapes, read from the files' headers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import folder_paths

from .file_faults import fault_of, header_of

LAYOUTS = {  # class embedding, patch embedding, positions, projection, and the axis of the projection's outputs
    "transformers": (
        "vision_model.embeddings.class_embedding",
        "vision_model.embeddings.patch_embedding.weight",
        "vision_model.embeddings.position_embedding.weight",
        "visual_projection.weight",
        0,
    ),
    "open_clip": ("visual.class_embedding", "visual.conv1.weight", "visual.positional_embedding", "visual.proj", 1),
}


@dataclass(frozen=True)
class EncoderShape:
    """Sizes of an encoder.

    hidden    : numbers per feature
    embedding : numbers of the image embedding, 0 where there is none
    side      : pixels along a side of the picture it sees
    """

    hidden: int
    embedding: int
    side: int

    def __str__(self) -> str:
        return f"{self.hidden} numbers per feature, {self.embedding} per image embedding, {self.side} pixels"


@dataclass(frozen=True)
class VisionFile:
    """An encoder file; `shape` is None where it cannot be told without loading it, `fault` tells what is wrong."""

    name: str
    path: Path
    shape: EncoderShape | None
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.fault or self.shape or 'not readable without loading it'})"


def vision_files() -> list[VisionFile]:
    """All of them, by name."""
    names = sorted(folder_paths.get_filename_list("clip_vision"))
    paths = {name: folder_paths.get_full_path("clip_vision", name) for name in names}
    return [
        VisionFile(name, Path(path), shape_in(Path(path)), fault_of(Path(path))) for name, path in paths.items() if path
    ]


def shape_in(path: Path) -> EncoderShape | None:
    """The shape of the encoder in a `.safetensors` file; None for another file, or one that holds no CLIP encoder."""
    if path.suffix.lower() != ".safetensors":
        return None
    try:
        return _shape_of(tensor_shapes(path))
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def tensor_shapes(path: Path) -> dict[str, list[int]]:
    """The shapes of a `.safetensors` file's tensors by name, from its header; nothing for what is no such file."""
    try:
        return {key: value["shape"] for key, value in header_of(path).items() if key != "__metadata__"}
    except (ValueError, KeyError):
        return {}


def _shape_of(shapes: dict[str, list[int]]) -> EncoderShape | None:
    for name, patch, positions, projection, axis in LAYOUTS.values():
        if name in shapes:
            side = math.isqrt(shapes[positions][0] - 1) * shapes[patch][-1]
            return EncoderShape(shapes[name][-1], shapes[projection][axis] if projection in shapes else 0, side)
    return None
