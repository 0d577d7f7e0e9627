"""Embeddings of all faces of the corpus, by the recogniser as it was trained or as the pack ships it; kept on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .corpus import Corpus
from .faces import face_crops


@dataclass(frozen=True)
class Embedder:
    """Something that embeds faces: aligned crops [N, 3, 112, 112] in -1..1 -> raw embeddings [N, 512].

    mark : a number that tells one set of weights from another
    """

    embed: Callable[[Tensor], Tensor]
    mark: float


def embedder_of(recogniser: nn.Module) -> Embedder:
    """A trained recogniser (faces.PlainRecogniser)."""

    def embed(crops: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return recogniser(crops.contiguous(memory_format=torch.channels_last))

    return Embedder(embed, recogniser.out[1].weight.abs().sum().item())


def embedder_in(path: Path) -> Embedder:
    """A recogniser in an ONNX file, run on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def embed(crops: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: crops.numpy()})[0])

    probe = torch.linspace(-1, 1, 3 * 112 * 112).view(1, 3, 112, 112)
    return Embedder(embed, embed(probe).abs().sum().item())


@torch.no_grad()
def face_embeddings(corpus: Corpus, embedder: Embedder, folder: Path) -> Tensor:
    """Raw embeddings of all faces of the corpus, fp16 [F, 512].

    Kept in embeddings.pt; made anew when the corpus or the recogniser has changed.
    """
    path = folder / "embeddings.pt"
    mark = [len(corpus.face_who), embedder.mark]
    if path.exists():
        state = torch.load(path, weights_only=True)
        if state["mark"] == mark:
            return state["embeddings"]
    parts = torch.arange(len(corpus.face_who)).split(128)
    embeddings = torch.cat([embedder.embed(face_crops(corpus, faces) * 2 - 1).half() for faces in parts])
    torch.save({"mark": mark, "embeddings": embeddings}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
    return embeddings
