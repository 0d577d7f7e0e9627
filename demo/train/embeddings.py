"""Embeddings of the corpus' faces, by the recogniser as it was trained or as the pack ships it."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from .corpus import Corpus
from .faces import face_crops

Embedder = Callable[[Tensor], Tensor]
"""Aligned crops [N, 3, 112, 112] in -1..1 -> raw embeddings [N, 512]."""


def embedder_of(recogniser: nn.Module) -> Embedder:
    """A trained recogniser (faces.PlainRecogniser)."""

    def embed(crops: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return recogniser(crops.contiguous(memory_format=torch.channels_last))

    return embed


def embedder_in(path: Path) -> Embedder:
    """A recogniser in an ONNX file, run on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def embed(crops: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: crops.numpy()})[0])

    return embed


@torch.no_grad()
def face_embeddings(corpus: Corpus, embedder: Embedder, faces: Tensor) -> Tensor:
    """Raw embeddings of faces given by their numbers in the corpus: [N] -> float32 [N, 512]."""
    return embedder(face_crops(corpus, faces) * 2 - 1).float()
