"""Strength 1 means "as published": the shipped identity adapter's values times what was its best strength.

An adapter adds strength * softmax(q K^T) V to the text's attention, so values times a constant make that constant's
strength 1, in every mode that adds. What was multiplied stands in the file's header; who trains on takes it out again.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

# Best strength of files as trained: the highest likeness of 24 pairs of unseen people in the template of two people,
# of 0.3 to 0.8 (0.48, 0.57, 0.61, 0.64, 0.59 at 0.3 to 0.7; in the right place 0.98, 1, 1, 1, 0.96).
BEST = {"ipadapter/troupe-demo-faceid.safetensors": 0.6}
HEADER, VALUES = "values_times", ".to_v_ip.weight"


def factor_of(path: Path) -> float:
    """What the values of a file were multiplied with; 1 for one that is as it was trained."""
    with safe_open(str(path), "pt") as file:
        return float((file.metadata() or {}).get(HEADER, 1))


def rescale(path: Path, factor: float) -> None:
    """Multiply a file's values, in its own precision, and say so in its header; nothing where that was done."""
    with safe_open(str(path), "pt") as file:
        texts = dict(file.metadata() or {})
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dictionary)
    before = float(texts.get(HEADER, 1))
    if before == factor:
        return
    save_file(times(state, factor / before), path, {**texts, HEADER: f"{factor:g}"})


def times(state: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
    """An adapter's tensors with all values multiplied."""
    return {
        key: (value.to(torch.float64) * factor).to(value.dtype) if key.endswith(VALUES) else value
        for key, value in state.items()
    }
