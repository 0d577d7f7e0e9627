"""Stage: a small face detector in SCRFD's format (arXiv 2105.04714).

Strides 8, 16 and 32, two anchors a cell, boxes as distances from the anchor, five key points.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .alignment import weathered
from .convolution import conv_block
from .corpus import Corpus
from .loop import Run, optimise

SIDE, STRIDES, ANCHORS, BATCH = 256, (8, 16, 32), 2, 16
_SMALL, _LARGE = (0, 36, 72), (44, 88, 1e9)  # box heights in pixels of the input that each stride answers for


class Detector(nn.Module):
    """Pictures [N, 3, 256, 256], RGB, (x - 127.5) / 128 -> (scores, boxes, points) for each stride.

    scores [N, A, 1] logits, boxes [N, A, 4] and points [N, A, 10] in strides from the anchor
    """

    def __init__(self):
        super().__init__()
        halvings = [conv_block(a, b, stride=2) for a, b in pairwise((3, 16, 32, 48))]
        self.stem = nn.Sequential(*halvings, conv_block(48, 48))
        self.down = nn.ModuleList([nn.Identity(), conv_block(48, 64, stride=2), conv_block(64, 96, stride=2)])
        self.same = nn.ModuleList([nn.Conv2d(c, 48, 1) for c in (48, 64, 96)])
        self.head = nn.ModuleList([nn.Sequential(conv_block(48, 48), conv_block(48, 48)) for _ in STRIDES])
        self.out = nn.ModuleList([nn.Conv2d(48, ANCHORS * 15, 1) for _ in STRIDES])
        for out in self.out:
            nn.init.constant_(out.bias[:ANCHORS], -4.0)

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        levels = [self.stem(x)]
        for down in self.down[1:]:
            levels.append(down(levels[-1]))
        features = [same(level) for same, level in zip(self.same, levels, strict=True)]
        for i in (1, 0):
            features[i] = features[i] + F.interpolate(features[i + 1], scale_factor=2.0)
        layers = zip(self.head, self.out, features, strict=True)
        return [_by_anchor(out(head(feature))) for head, out, feature in layers]


def _by_anchor(feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a stride says, [N, 2 * 15, h, w], as scores [N, A, 1], boxes [N, A, 4] and points [N, A, 10]."""
    parts = feature.split((ANCHORS, ANCHORS * 4, ANCHORS * 10), 1)
    return tuple(part.permute(0, 2, 3, 1).reshape(len(feature), -1, part.shape[1] // ANCHORS) for part in parts)


def train_detector(corpus: Corpus, run: Run) -> nn.Module:
    """Faces at least 35 % visible are to be found, those under 10 % not; what lies between counts neither way."""
    model = Detector().to(memory_format=torch.channels_last)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        scenes = torch.randint(0, len(corpus), (BATCH,), generator=generator)
        pictures, corner, scale = _resized(weathered(corpus.pictures(scenes), generator), generator)
        boxes = corpus.facts(scenes, "face_box") * scale + corner.repeat(2)
        points = corpus.facts(scenes, "key_points") * scale + corner
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model((pictures * 255 - 127.5).contiguous(memory_format=torch.channels_last) / 128)
        return detection_loss(outputs, boxes * SIDE, points * SIDE, corpus.facts(scenes, "visible"))

    return optimise(run, model, loss_at, 1.5e-3)


def _resized(pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """Pictures at half to one and a third of their size: somewhere on a dark canvas of SIDE pixels, or cut to it.

    Returns the canvas [N, 3, SIDE, SIDE], the corner [2] and the scale of the pictures on it, in fractions of it.
    """
    size = int(SIDE * (0.5 + 0.85 * torch.rand((), generator=generator).item()) // 8 * 8)
    room = SIDE - size
    x, y = (int(torch.randint(min(room, 0), max(room, 0) + 1, (), generator=generator)) for _ in range(2))
    small = F.interpolate(pictures, size=(size, size), mode="bilinear", antialias=True)
    return F.pad(small, (x, room - x, y, room - y)), torch.tensor([x, y]) / SIDE, size / SIDE


def detection_loss(outputs: list, boxes: Tensor, points: Tensor, visible: Tensor) -> Tensor:
    """Focal loss on scores (arXiv 1708.02002), smooth L1 on boxes and key points of the anchors that answer for a face.

    outputs : for each stride, as `Detector` gives them
    boxes [N, P, 4], points [N, P, 5, 2] in pixels of the input, visible [N, P] in 0..1
    """
    total, positives = torch.zeros(()), torch.zeros(())
    for (scores, distances, offsets), stride, small, large in zip(outputs, STRIDES, _SMALL, _LARGE, strict=True):
        anchor = _anchors(stride)
        which, positive, unsure = _answers(anchor, boxes, visible, stride, (small, large))
        logits, target = scores[..., 0].float(), positive.float()
        hardness = (logits.sigmoid() - target).abs() ** 2
        focal = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * hardness
        total = total + (focal * ~unsure * (1 + 3 * target)).sum()
        if positive.any():
            picture, cell = positive.nonzero().unbind(1)
            face, at = which[picture, cell], anchor[cell]
            box, point = boxes[picture, face], points[picture, face]
            distance = torch.cat([at - box[:, :2], box[:, 2:] - at], -1) / stride
            offset = ((point - at[:, None]) / stride).flatten(1)
            total = total + 0.4 * _smooth(distances[positive], distance) + 0.3 * _smooth(offsets[positive], offset)
        positives = positives + positive.sum()
    return total / positives.clamp(min=1)


def _smooth(found: Tensor, wanted: Tensor) -> Tensor:
    return F.smooth_l1_loss(found.float(), wanted, reduction="sum", beta=0.2)


def _anchors(stride: int) -> Tensor:
    """Where the anchors of a stride lie, in pixels of the input, each cell's twice: [A, 2] as x, y."""
    line = torch.arange(SIDE // stride) * float(stride)
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2).repeat_interleave(ANCHORS, 0)


def _answers(
    anchor: Tensor, boxes: Tensor, visible: Tensor, stride: int, heights: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Which face each anchor [A, 2] answers for (index [N, A]), whether it does, and whether it may say what it likes.

    An anchor answers for the nearest face whose centre is close by, whose height the stride is there for, and of which
    at least 35 % are visible; it is unsure beside a face of which between 10 and 35 % are.
    """
    height = boxes[..., 3] - boxes[..., 1]
    apart = anchor[None, :, None] - ((boxes[..., :2] + boxes[..., 2:]) / 2)[:, None]  # [N, A, P, 2]
    reach = (height * 0.22).clamp(min=stride * 0.75)
    near = apart.abs().amax(-1) < reach[:, None]
    fits = (height[:, None] > heights[0]) & (height[:, None] <= heights[1])
    seen = near & (visible[:, None] >= 0.35) & fits
    positive = seen.any(-1)
    half_seen = (visible > 0.1) & (visible < 0.35)
    unsure = ~positive & (near & half_seen[:, None]).any(-1)
    return (apart.square().sum(-1) + 1e9 * ~seen).argmin(-1), positive, unsure
