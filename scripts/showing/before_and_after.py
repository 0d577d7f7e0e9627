"""The two pictures of a workflow with a second pass, side by side with what their scores say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from ...measure.grid import Cell, draw_grid

LABELS = ("one pass", "and Refine Cast")
SIDE = 384  # pixels along a side of each picture


def before_and_after(out: Path) -> Image.Image:
    """A sheet of what run.run_workflow wrote into `out`: two pictures, and their scores in the same order."""
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    cells = []
    for number, (label, score) in enumerate(zip(LABELS, scores, strict=True), 1):
        with Image.open(out / f"picture-{number}.png") as drawn:
            picture = np.asarray(drawn.convert("RGB"))
        lines = [f"likeness to oneself {score['own']:.2f}", f"in the right place {score['right_place']:.2f}"]
        cells.append(Cell(picture, label, lines))
    return Image.fromarray(draw_grid([cells], SIDE))
