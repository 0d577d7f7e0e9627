"""How the things that are not people are drawn: a ball and a plant, from the same numbers that make a person."""

import torch
from torch import Tensor

from .brush import Brush, Window, ellipse
from .people import hue

# Which number makes the stem tall, the leaves long and the flower wide and high: index, least, span.
_PLANT = ((1, 0.9, 0.6), (2, 0.45, 0.2), (3, 0.35, 0.35), (4, 0.35, 0.35))


def draw_ball(window: Window, patch: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
    """A striped ball in two colours of its own: the patch [B, 3, h, w] and the coverage of the ball [B, h, w]."""
    brush = Brush(patch, window.pixel)
    u, v = window.u, window.v - 1.2
    shape = ellipse(u, v, 1.25, 1.25)
    cover = brush.coverage(shape)
    brush.paint(cover, hue(identity[:, 0], 0.75, 0.9))
    angle = identity[:, 3, None, None] * 3.14
    stripes = 0.25 + 0.25 * identity[:, 4, None, None] - (u * torch.cos(angle) + v * torch.sin(angle)).abs()
    brush.paint(brush.coverage(torch.maximum(shape, -stripes)), hue(identity[:, 1], 0.6, 0.55))
    brush.paint(brush.coverage(ellipse(u, v, 0.25, 0.25)) * (identity[:, 5, None, None] > 0.5), 0.95)
    return brush.patch, cover


def draw_plant(window: Window, patch: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
    """A plant in a pot with leaves and a flower of its own colour: the patch [B, 3, h, w], its coverage [B, h, w]."""
    brush = Brush(patch, window.pixel)
    u, v = window.u, window.v
    tall, leaf, wide, high = (low + span * identity[:, i, None, None] for i, low, span in _PLANT)
    pot = torch.maximum(u.abs() - (0.75 - 0.12 * (v - 1.6)), (v - 2.1).abs() - 0.6)
    stem = torch.maximum(u.abs() - 0.1, (v - 0.9).abs() - tall)
    leaves = ellipse(u.abs() - 0.55, v - 0.9 + 0.4 * u.abs(), leaf, 0.22)
    flower = ellipse(u, v - 0.9 + tall, wide, high)
    green = torch.stack([0.1 + 0.3 * identity[:, 5], 0.45 + 0.3 * identity[:, 6], 0.15 + 0.2 * identity[:, 7]], -1)
    tones = (hue(identity[:, 8], 0.55, 0.7), green * 0.8, green, hue(identity[:, 9], 0.8, 0.95))
    covers = [brush.coverage(shape) for shape in (pot, stem, leaves, flower)]
    for cover, tone in zip(covers, tones, strict=True):
        brush.paint(cover, tone)
    return brush.patch, torch.stack(covers).amax(0)
