"""Describes aligned faces with a recogniser in ArcFace format (arXiv 1801.07698), as InsightFace packs carry them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

CROP_SIZE = 112


def normalises_itself(first_nodes: Sequence[str]) -> bool:
    """Whether a graph subtracts the mean and scales on its own, from the names of its first eight nodes.

    Graphs converted from MXNet do: their first nodes are a subtraction and a multiplication. This is InsightFace's
    rule, by name and not by operator, kept because the published adapters were trained on embeddings made under it.
    """
    subtracts = any(name.startswith(("Sub", "_minus")) for name in first_nodes)
    multiplies = any(name.startswith(("Mul", "_mul")) for name in first_nodes)
    return subtracts and multiplies


def network_input(crops: np.ndarray, graph_normalises: bool) -> np.ndarray:
    """uint8 [N, 112, 112, 3] RGB -> float32 [N, 3, 112, 112] in -1 .. 1, or 0 .. 255 for graphs that normalise."""
    pixels = crops.astype(np.float32).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels if graph_normalises else (pixels - 127.5) / 127.5)


def embed_crops(
    crops: np.ndarray, run: Callable[[np.ndarray], np.ndarray], graph_normalises: bool, one_at_a_time: bool
) -> np.ndarray:
    """Raw embeddings, float32 [N, D], of aligned crops, uint8 [N, 112, 112, 3] RGB.

    run           : the graph, float32 [n, 3, 112, 112] -> [n, D]
    one_at_a_time : for graphs whose batch axis is fixed at 1
    """
    check_crops(crops)
    pixels = network_input(crops, graph_normalises)
    parts = [run(pixels[i : i + 1]) for i in range(len(pixels))] if one_at_a_time else [run(pixels)]
    return np.concatenate(parts).reshape(len(crops), -1).astype(np.float32)


def check_crops(crops: np.ndarray) -> None:
    """Raise ValueError unless `crops` are uint8 [N, 112, 112, 3] with N at least 1."""
    if crops.ndim != 4 or crops.shape[1:] != (CROP_SIZE, CROP_SIZE, 3) or crops.dtype != np.uint8 or not len(crops):
        raise ValueError(
            f"Aligned crops are uint8 [N, {CROP_SIZE}, {CROP_SIZE}, 3] with N at least 1, "
            f"got {crops.dtype} {list(crops.shape)}."
        )
