"""The photos of a Cast Board: files in ComfyUI's folders, where the board uploads them to."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths
import numpy as np
from PIL import Image, ImageOps


def photo_path(file: str) -> Path | None:
    """Where the picture lies that Load Image calls `file`; None where there is none, or outside of its folders."""
    name, folder = folder_paths.annotated_filepath(file)
    root = os.path.abspath(folder or folder_paths.get_input_directory())
    path = Path(os.path.abspath(os.path.join(root, name)))  # links inside of the folder are the user's own affair
    return path if name and path.is_relative_to(root) and path.is_file() else None


def stamp_of_photo(file: str) -> str:
    """A text that changes when the file does; "missing" where there is none."""
    path = photo_path(file)
    if path is None:
        return f"{file}: missing"
    state = path.stat()
    return f"{file}: {state.st_size} {state.st_mtime_ns}"


def read_photo(path: Path) -> np.ndarray:
    """A photo, uint8 [H, W, 3] RGB, upright as its camera says, white where it is transparent.

    Raises ValueError where the file is no picture.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                ground = Image.new("RGBA", upright.size, (255, 255, 255, 255))
                upright = Image.alpha_composite(ground, upright)
            return np.asarray(upright.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"is no picture that can be read ({error})") from error
