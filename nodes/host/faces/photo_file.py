"""The file that a photo was loaded from, and what readers say of it that do not pass over damage as Load Image does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
from PIL import Image

LOADERS = ("LoadImage", "LoadImageOutput")
CHECKED = ("mjpeg", "png", "webp")  # ffmpeg's names; of other kinds Pillow may know less than ffmpeg
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

    A JPEG that lacks no more than its end mark is sound: cameras write such files. Flipped bits in a WebP go unseen.
    """
    try:
        import av
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
    return ""


def _inputs(prompt: Mapping[str, Any], node: str | None) -> Mapping[str, Any]:
    return prompt.get(node, {}).get("inputs", {})
