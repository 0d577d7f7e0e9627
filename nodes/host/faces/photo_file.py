"""The file that a photo was loaded from, and what strict readers say of it: Load Image shows what it can read."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
from PIL import Image, ImageOps

LOADERS = ("LoadImage", "LoadImageOutput")
PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
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
    """Why a JPEG, PNG or WebP file is not whole, in words that end a sentence; empty for a sound file and other kinds.

    Only what is missing or unreadable of the picture itself counts: sound photos have odd text, profiles, checksums of
    them, and bytes behind their end, and a JPEG from a camera may lack its end mark.
    """
    data = path.read_bytes()
    if data.startswith(PNG_START):
        wrong = png_flaw(data)
    elif data.startswith(JPEG_START):
        # Either reader alone refuses sound files: Pillow those without an end mark, ffmpeg rare kinds of coding.
        wrong = "its data breaks off or cannot be read" if not _reads_all(data) and _ffmpeg_stops(data) else ""
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        wrong = "" if _reads_all(data) else "its data breaks off or cannot be read"
    else:
        wrong = ""
    return f"'{path.name}': {wrong}" if wrong else ""


def png_flaw(data: bytes) -> str:
    """What a PNG file lacks of its picture, by its chunks (PNG specification, 5.3); empty where it is whole."""
    place = len(PNG_START)
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if end > len(data):
            break
        critical = not kind[0] & 0x20
        if critical and zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"the checksum of its part {kind.decode('latin-1')!r} is wrong"
        if kind == b"IEND":
            return ""
        place = end
    return "it ends before its picture does"


def _reads_all(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except Image.DecompressionBombError:  # large, not broken
        return True
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _ffmpeg_stops(data: bytes) -> bool:
    """Whether ffmpeg, which hosts read pictures with, meets an error in a JPEG; False where it is not installed."""
    try:
        import av
    except ImportError:  # hosts from before they read pictures with it
        return True
    try:
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = STRICT
            for _ in container.decode(stream):
                pass
    except (av.error.FFmpegError, IndexError):
        return True
    return False


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
