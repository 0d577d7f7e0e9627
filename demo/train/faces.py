"""Stages: two recognisers of different architecture and seed; one feeds the adapter, the other only scores."""

import logging
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..people import new_identities
from ..renderer import render
from ..scenes import photos
from .alignment import aligned_crops, weathered
from .convolution import conv_block
from .corpus import PEOPLE, Corpus
from .loop import Run, optimise

log = logging.getLogger(__name__)
BATCH = 64


class PlainRecogniser(nn.Module):
    """Plain convolutions and a global depthwise one at the end: [N, 3, 112, 112] in -1..1 -> [N, 512]."""

    def __init__(self):
        super().__init__()
        pairs = pairwise((3, 32, 48, 96, 160))
        self.body = nn.Sequential(*(nn.Sequential(conv_block(a, b, stride=2), conv_block(b, b)) for a, b in pairs))
        self.pool = nn.Sequential(nn.Conv2d(160, 160, 7, groups=160, bias=False), nn.BatchNorm2d(160))
        self.out = nn.Sequential(nn.Flatten(), nn.Linear(160, 512), nn.BatchNorm1d(512))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.pool(self.body(x)))


class ResidualRecogniser(nn.Module):
    """A patch stem, residual blocks and a squeezed flattening at the end: [N, 3, 112, 112] in -1..1 -> [N, 512]."""

    class Residual(nn.Module):
        """Two convolutions beside a shortcut: [N, c, H, W] -> [N, c, H, W]."""

        def __init__(self, c: int):
            super().__init__()
            self.inner = nn.Sequential(conv_block(c, c), nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))

        def forward(self, x: Tensor) -> Tensor:
            return (x + self.inner(x)).relu()

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv_block(3, 40, 4, 4),
            self.Residual(40),
            conv_block(40, 80, stride=2),
            self.Residual(80),
            conv_block(80, 120, stride=2),
            self.Residual(120),
        )
        self.squeeze = conv_block(120, 16, 1)
        self.out = nn.Sequential(nn.Linear(16 * 49, 512, bias=False), nn.BatchNorm1d(512))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.squeeze(self.body(x)).flatten(1))


class _Margin(nn.Module):
    """A recogniser with the class centres it is trained against (CosFace, arXiv 1801.09414)."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net
        self.centres = nn.Parameter(torch.randn(PEOPLE, 512) * 0.01)

    def loss(self, crops: Tensor, who: Tensor, margin: float) -> Tensor:
        """Cross-entropy of aligned crops [N, 3, 112, 112] in 0..1 and whom they show [N]."""
        with torch.autocast("cpu", torch.bfloat16):
            embedding = self.net(crops.contiguous(memory_format=torch.channels_last) * 2 - 1)
        cosine = F.normalize(embedding.float()) @ F.normalize(self.centres).T
        return F.cross_entropy(30 * (cosine - margin * F.one_hot(who, PEOPLE)), who)


def train_recogniser(net: nn.Module, corpus: Corpus, run: Run) -> nn.Module:
    """Margin softmax over the training identities, on faces as the corpus' scenes show them."""
    model = _Margin(net.to(memory_format=torch.channels_last))

    def loss_at(step: int, generator: torch.Generator) -> Tensor:
        faces = torch.randint(0, len(corpus.face_who), (BATCH,), generator=generator)
        crops = weathered(face_crops(corpus, faces, generator), generator)
        flip = torch.rand(BATCH, generator=generator) < 0.5
        crops = torch.where(flip[:, None, None, None], crops.flip(-1), crops)
        return model.loss(crops, corpus.face_who[faces], 0.25 * min(1.0, step / 1000))

    return optimise(run, model, loss_at, 1.5e-3).net


def face_crops(corpus: Corpus, faces: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Aligned crops [N, 3, 112, 112] of faces [N], given by their number in the corpus.

    generator : jitters the key points by 6 % of the distance between the eyes, as a detector would
    """
    scenes = corpus.face_scene[faces]
    points = corpus.facts(scenes, "key_points")[torch.arange(len(faces)), corpus.face_figure[faces]]
    if generator is not None:
        apart = (points[:, 1] - points[:, 0]).norm(dim=-1)[:, None, None]
        points = points + torch.randn(points.shape, generator=generator) * apart * 0.06
    return aligned_crops(corpus.pictures(scenes), points)


@torch.no_grad()
def rank_one(net: nn.Module, people: int = 500, seed: int = 90_001) -> tuple[float, float, float]:
    """Unseen identities, two photos each: mean cosine of the same person, of different people, and rank-1 accuracy."""
    generator = torch.Generator().manual_seed(seed)
    identity = new_identities(people, generator)
    embeddings = []
    for _ in range(2):
        rows = []
        for part in identity.split(50):
            drawn = render(photos(part, generator), 128)
            rows.append(net(aligned_crops(drawn.picture, drawn.key_points[:, 0]) * 2 - 1))
        embeddings.append(F.normalize(torch.cat(rows)))
    cosine = embeddings[0] @ embeddings[1].T
    same = cosine.diag().mean().item()
    other = (cosine.sum() - cosine.diag().sum()).item() / (people * (people - 1))
    return same, other, (cosine.argmax(1) == torch.arange(people)).float().mean().item()


def log_rank_one(name: str, net: nn.Module, most: int) -> None:
    """Say how well a recogniser tells 500 people apart that it was not trained on, or `most` where these are fewer."""
    people = min(500, most)
    same, other, first = rank_one(net, people)
    log.info("%s: same %.3f, other %.3f, rank-1 of %d %.3f", name, same, other, people, first)
