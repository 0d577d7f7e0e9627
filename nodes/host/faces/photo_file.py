"""The file that a photo was loaded from, and what readers say of it that do not pass over damage as Load Image does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
from PIL import Image, ImageOps

LOADERS = ("LoadImage", "LoadImageOutput")
CHECKED = ("mjpeg", "png", "webp")  # ffmpeg's names; of other kinds Pillow may know less than ffmpeg
ORIENTATION, MIRRORED = 0x0112, (2, 4, 5, 7)  # of EXIF
MODES = ("L", "RGB", "RGBA", "P", "CMYK")  # of 8 bits
STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}


def loaded_file(hidden: Any, name: str) -> Path | None:
    """The file that a node's input `name` is loaded from, where Load Image is linked to it; None for anything else.

    hidden : the node's hidden values, prompt and unique_id; None outside of a run of the graph
    """
    prompt = getattr(hidden, "prompt", None) or {}
    link = _inputs(prompt, getattr(hidden, "unique_id", None)).get(name)
    if not isinstance(link, list) or prompt.get(link[0], {}).get("class_type") not in LOADERS:
        return None
    file = _inputs(prompt, link[0]).get("image")
    path = Path(folder_paths.get_annotated_filepath(file)) if isinstance(file, str) else None
    return path if path is not None and path.is_file() else None


def flaw_of(path: Path) -> str:
    """Why a JPEG, PNG or WebP file is refused by readers that stop at an error; empty for a sound file and other kinds.

    A JPEG that lacks no more than its end mark is sound: cameras write such files.
    """
    try:
        import av

        from .coded_data import contradiction_in
    except ImportError:  # hosts from before they read pictures with it
        return ""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            kind = stream.codec_context.name
            if kind not in CHECKED:
                return ""
            stream.codec_context.options = STRICT
            for _ in container.decode(stream):
                pass
    except (av.error.FFmpegError, IndexError):
        return f"the data of '{path.name}' breaks off or contradicts itself"
    try:
        with Image.open(path) as image:
            if kind != "mjpeg":
                image.load()
    except (OSError, SyntaxError, ValueError):
        return f"'{path.name}' is no sound {'JPEG' if kind == 'mjpeg' else kind.upper()} file"
    wrong = contradiction_in(path.read_bytes(), kind)
    return f"'{path.name}' {wrong}" if wrong else ""


def unmirrored(path: Path) -> np.ndarray | None:
    """The photo of a file whose EXIF says that it is stored mirrored, upright, uint8 [H, W, 3]; None for all others.

    ComfyUI turns photos as their EXIF says, and since 0.30 leaves such ones mirrored, two of them upside down.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in MODES or image.getexif().get(ORIENTATION) not in MIRRORED:
                return None
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _inputs(prompt: Mapping[str, Any], node: str | None) -> Mapping[str, Any]:
    return prompt.get(node, {}).get("inputs", {})
