"""Stage: the reader, which scores how well a picture follows its prompt: expression, look and shirt of a person."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..scenes import EXPRESSIONS, LOOKS, SHIRTS
from .alignment import person_crops, weathered
from .convolution import conv_block
from .corpus import Corpus
from .loop import Run, optimise

BATCH = 64


class Reader(nn.Module):
    """Expression, look and shirt of one person on a head-and-shoulders crop.

    [N, 3, 96, 96] in -1..1 -> [N, 4 + 3 + 6] logits, see `reader_parts`
    """

    def __init__(self):
        super().__init__()
        pairs = pairwise((3, 24, 48, 96, 128))
        self.body = nn.Sequential(*(nn.Sequential(conv_block(a, b, stride=2), conv_block(b, b)) for a, b in pairs))
        kinds = len(EXPRESSIONS) + len(LOOKS) + len(SHIRTS)
        self.out = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(128 * 9, kinds))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x))


def train_reader(corpus: Corpus, run: Run) -> nn.Module:
    """Cross-entropy on expression, look and shirt of clearly visible people."""
    model = Reader().to(memory_format=torch.channels_last)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        faces = torch.randint(0, len(corpus.face_who), (BATCH,), generator=generator)
        crops, targets = reader_batch(corpus, faces, generator)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(crops.contiguous(memory_format=torch.channels_last) * 2 - 1).float()
        return sum(F.cross_entropy(part, target) for part, target in zip(reader_parts(logits), targets, strict=True))

    return optimise(run, model, loss_at, 1.5e-3)


def reader_parts(logits: Tensor) -> tuple[Tensor, ...]:
    """Logits [N, 13] of expression [N, 4], look [N, 3] and shirt [N, 6]."""
    return logits.split((len(EXPRESSIONS), len(LOOKS), len(SHIRTS)), -1)


def reader_batch(corpus: Corpus, faces: Tensor, generator: torch.Generator) -> tuple[Tensor, list[Tensor]]:
    """Crops [N, 3, 96, 96] in 0..1 around jittered face boxes, and the three targets [N]."""
    scenes, rows = corpus.face_scene[faces], torch.arange(len(faces))
    boxes, *targets = (
        corpus.facts(scenes, key)[rows, corpus.face_figure[faces]]
        for key in ("face_box", "expression", "look", "shirt")
    )
    boxes = boxes + (torch.rand(boxes.shape, generator=generator) - 0.5) * 0.15 * (boxes[:, 3:] - boxes[:, 1:2])
    crops = weathered(person_crops(corpus.pictures(scenes), boxes), generator)
    return crops, targets
