"""Photos of the demo's people as files in ComfyUI's folder input, for boards that name photos by file."""

from __future__ import annotations

import logging
from pathlib import Path

import folder_paths
import torch
from PIL import Image

from ....demo.people_by_name import NAMES, photo_of

log = logging.getLogger(__name__)
FOLDER = "troupe-demo"  # below input; a cartoon per name, and may be deleted at any time


def put_demo_photos(folder: Path | None = None) -> None:
    """Write those that are not there; called once, when the pack loads. A folder that cannot be written is left alone.

    folder : ComfyUI's own folder input where there is none
    """
    target = Path(folder or folder_paths.get_input_directory()) / FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            path = target / f"{name}.png"
            if not path.exists():
                pixels = (photo_of(name) * 255).round().to(torch.uint8).numpy()
                Image.fromarray(pixels).save(path)
    except OSError as error:
        log.info("Troupe: the demo's photos cannot be written to %s (%s); its boards lack them.", target, error)
