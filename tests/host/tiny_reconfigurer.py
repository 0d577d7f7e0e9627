"""DynamicID's two files, small and random, for the tiny adapters' tokens; and a landmark model that always says one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from pack.attention.adapters.key_points import KeyPointEncoder
from pack.attention.adapters.reconfigurer import Reconfigurer, ReconfigurerShape
from pack.face.motion import Reconfiguration
from pack.scripts.benches.engine.adapter_files import random_state
from pack.tests.host.tiny_models import CONTEXT

WORDS = 12
SHAPE = ReconfigurerShape(token=CONTEXT, points=9, words=WORDS, width=64, heads=1, hidden=48, tokens=2)
CHANNELS = (2, 3, 4, 5, 6, 7, 8, 9)


def write_reconfigurer(folder: Path, shape: ReconfigurerShape = SHAPE) -> Path:
    """IMR.bin in a folder, with key_point_encoder.bin beside it."""
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in Reconfigurer(shape).state_dict().items()}
    torch.save(random_state(shapes, seed=4), folder / "IMR.bin")
    torch.manual_seed(5)
    torch.save(KeyPointEncoder(CHANNELS).state_dict(), folder / "key_point_encoder.bin")
    return folder / "IMR.bin"


def reconfiguration(photos: int, strength: float = 1.0, seed: int = 0, words: int = WORDS) -> Reconfiguration:
    """What the faces on some photos are to do: random points and words."""
    generator = np.random.default_rng(seed)
    landmarks = generator.uniform(0.2, 0.8, (photos, 2, 106, 2)).astype(np.float32)
    vectors = generator.normal(size=(photos, 2, words)).astype(np.float32)
    return Reconfiguration(landmarks, vectors, np.full(photos, strength, np.float32), "in a happy expression")
