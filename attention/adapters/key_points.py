"""DynamicID's key point encoder: a face as white dots on black, to a vector.

(the layout of the weights released with arXiv 2503.06505) Convolutions with batch norms: a first one of 7 x 7, five
stages that halve 96 pixels to 3, each followed by convolutions that are added to their input, one of 3 x 3 without a
border that leaves a single point, and one of 1 x 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

SIDE = 96  # pixels of the drawing
RESIDUALS = (2, 3, 2, 2, 1)  # convolutions behind the first of each stage
WIDTHS = (16, 32, 64, 128, 256, 512, 512, 768)  # channels of the first, of the stages, and of the last two


class ConvolutionBlock(nn.Module):
    """A convolution and a batch norm, added to the input where it is a residual one, then a ReLU."""

    def __init__(
        self, takes: int, gives: int, kernel: int, stride: int, border: int, residual: bool, made: Any
    ) -> None:
        super().__init__()
        operations, dtype = made
        self.conv_block = nn.Sequential(
            operations.Conv2d(takes, gives, kernel, stride, border, dtype=dtype), nn.BatchNorm2d(gives, dtype=dtype)
        )
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv_block(x)
        return (out + x if self.residual else out).relu()


class KeyPointEncoder(nn.Module):
    """Drawings [R, 1, 96, 96] in -1..1 to vectors [R, last width]; parameters bear the names of the released file."""

    def __init__(self, widths: Sequence[int] = WIDTHS, operations: Any = nn, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        made = operations, dtype
        first, *stages, narrow, last = widths
        blocks = [nn.Sequential(ConvolutionBlock(1, first, 7, 1, 3, False, made))]
        before = first
        for width, residuals in zip(stages, RESIDUALS, strict=True):
            further = [ConvolutionBlock(width, width, 3, 1, 1, True, made) for _ in range(residuals)]
            blocks.append(nn.Sequential(ConvolutionBlock(before, width, 3, 2, 1, False, made), *further))
            before = width
        ends = [(before, narrow, 3), (narrow, last, 1)]
        blocks.append(nn.Sequential(*(ConvolutionBlock(a, b, size, 1, 0, False, made) for a, b, size in ends)))
        self.blocks = nn.ModuleList(blocks)

    def forward(self, drawings: Tensor) -> Tensor:
        for block in self.blocks:
            drawings = block(drawings)
        return drawings.flatten(1)


def drawn(landmarks: Tensor) -> Tensor:
    """Landmarks [R, N, 2], x and y in fractions of the photo, as drawings [R, 1, 96, 96] of -1 and 1.

    A point on the first row or column is left out, as in the released code.
    """
    pixels = (landmarks * SIDE).float()
    inside = ((pixels > 0) & (pixels < SIDE)).all(-1)  # [R, N]
    picture = torch.full((len(landmarks), SIDE * SIDE + 1), -1.0)  # one place more, for what lies outside
    column, row = pixels.clamp(0, SIDE - 1).long().unbind(-1)
    picture.scatter_(1, torch.where(inside, row * SIDE + column, SIDE * SIDE), 1.0)
    return picture[:, :-1].view(-1, 1, SIDE, SIDE)
