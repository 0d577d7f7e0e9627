"""How much each place of a picture counts in a loss: faces more than the rest, eyes and mouths most of all."""

import torch
from torch import Tensor

LARGE = 0.4  # height of a face in parts of the picture, about that of one person alone


def face_weight(boxes: Tensor, cells: int | tuple[int, int], weight: float | Tensor) -> Tensor:
    """How much each latent cell counts in a loss: `weight` inside heads, 1 elsewhere, [B, 1, rows, columns].

    boxes  : [B, P, 4] face boxes in fractions of the picture, zeros where there is no figure
    cells  : how many, along both sides or as rows and columns
    weight : a number, or [B, 1, 1, 1]
    """
    row, column = _lines(cells, boxes.device)
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3) / 2 * 1.35
    x = ((column - centre[..., :1]) / half[..., :1]).square()
    y = ((row - centre[..., 1:]) / half[..., 1:]).square()
    inside = (y[..., :, None] + x[..., None, :] < 1).any(1)
    return 1 + (weight - 1) * inside[:, None].float()


def _lines(cells: int | tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """The middles of rows and of columns in fractions of the picture."""
    rows, columns = cells if isinstance(cells, tuple) else (cells, cells)
    row, column = ((torch.arange(n, device=device) + 0.5) / n for n in (rows, columns))
    return row, column


def feature_weight(points: Tensor, boxes: Tensor, cells: int | tuple[int, int], weight: float) -> Tensor:
    """How much each cell counts for the eyes, brows and mouth in it, 1 where there are none: [B, 1, rows, columns].

    A mood is a few pixels of mouth and lid, which a loss over the whole face hardly sees. The weight falls off
    smoothly, because features are often smaller than a cell, and is higher in small faces, whose features are fewer.

    points : [B, P, 5, 2] eyes, nose and corners of the mouth in fractions of the picture; zeros for no figure
    boxes  : [B, P, 4] face boxes, whose height says how far a feature reaches
    cells  : as in `face_weight`
    weight : at the middle of a feature of a face that is LARGE or larger
    """
    row, column = _lines(cells, points.device)
    mouth = points[:, :, 3:].mean(2, keepdim=True)
    middles = torch.cat([points[:, :, :2], mouth], 2).flatten(1, 2)
    height = (boxes[..., 3] - boxes[..., 1]).clamp(min=1e-3)
    reach = (height[..., None] * torch.tensor([0.13, 0.13, 0.17], device=points.device)).flatten(1)
    reach = (reach.square() + (0.4 / len(row)) ** 2).sqrt()
    x = ((column - middles[..., :1]) / reach[..., None] * (len(column) / len(row))).square()
    y = ((row - middles[..., 1:]) / reach[..., None]).square()
    near = torch.exp(-(y[..., :, None] + x[..., None, :]).square() / 2)
    smaller = (LARGE / height).clamp(min=1) ** 1.5 * (boxes[..., 2] > 0)
    near = near * smaller.repeat_interleave(3, 1)[..., None, None]
    return 1 + (weight - 1) * near.amax(1)[:, None]
