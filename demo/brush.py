"""Soft-edged painting on a window of each picture in a batch: the geometry under the renderer."""

from dataclasses import dataclass

import torch
from torch import Tensor

SHARPNESS = 1.7  # how steeply coverage falls across one pixel


@dataclass
class Window:
    """A rectangle of each picture of a batch, around one figure: its pixels, and the figure's own coordinates.

    rows [B, h, 1], columns [B, 1, w]  pixel indices into the picture
    u, v [B, h, w]                     the figure's coordinates: 0 at its centre, v = 1 one half height below
    pixel [B, 1, 1]                    the size of a pixel in those coordinates
    """

    rows: Tensor
    columns: Tensor
    u: Tensor
    v: Tensor
    pixel: Tensor

    def of(self, which: Tensor) -> "Window":
        """The windows of some pictures of the batch: which [b] numbers of pictures."""
        return Window(*(part[which] for part in (self.rows, self.columns, self.u, self.v, self.pixel)))

    def cut(self, whole: Tensor) -> Tensor:
        """What the windows show: whole [B, C, H, W] -> [B, C, h, w]."""
        batch = torch.arange(len(whole), device=whole.device)[:, None, None]
        return whole[batch, :, self.rows, self.columns].permute(0, 3, 1, 2)

    def paste(self, whole: Tensor, patch: Tensor) -> None:
        """Write a patch [B, C, h, w] back into whole [B, C, H, W], in place."""
        batch = torch.arange(len(whole), device=whole.device)[:, None, None]
        whole[batch, :, self.rows, self.columns] = patch.permute(0, 2, 3, 1)


def window_around(place: Tensor, size: tuple[int, int], reach: tuple[float, float, float]) -> Window:
    """The windows around figures on pictures, moved inwards at the edges; the whole picture at most.

    place : [B, 3] x, y and half height of each figure, in fractions of the picture
    size  : height and width of the pictures
    reach : how far a window goes to each side, up and down, in half heights of the largest figure of the batch
    """
    rows, columns = size
    side, up, down = (int(r * float(place[:, 2].max()) * rows) + 2 for r in reach)
    width, height = min(columns, 2 * side), min(rows, up + down)
    x, y, half = (place * torch.tensor([columns, rows, rows], device=place.device)).unbind(1)
    column0 = (x.floor().long() - side).clamp(0, columns - width)
    row0 = (y.floor().long() - up).clamp(0, rows - height)
    columns = column0[:, None, None] + torch.arange(width, device=place.device)[None, None]
    rows = row0[:, None, None] + torch.arange(height, device=place.device)[None, :, None]
    half = half[:, None, None]
    u = ((columns + 0.5 - x[:, None, None]) / half).expand(-1, height, -1)
    v = ((rows + 0.5 - y[:, None, None]) / half).expand(-1, -1, width)
    return Window(rows, columns, u, v, 1 / half)


class Brush:
    """Paints shapes given as signed distances (negative inside) over a patch [B, 3, h, w], later over earlier."""

    def __init__(self, patch: Tensor, pixel: Tensor):
        self.patch = patch
        self.pixel = pixel

    def coverage(self, distance: Tensor) -> Tensor:
        """Share of each pixel inside the shape: distance [B, h, w] in the figure's units -> [B, h, w] in 0..1."""
        return torch.sigmoid(distance * (-2 * SHARPNESS) / self.pixel)

    def paint(self, coverage: Tensor, colour: Tensor | float) -> None:
        """Lay colour ([B, 3] or one grey) over the patch with coverage [B, h, w]."""
        target = torch.as_tensor(colour, dtype=self.patch.dtype, device=self.patch.device)
        if target.ndim:
            target = target[:, :, None, None]
        self.patch = torch.lerp(self.patch, target.expand_as(self.patch), coverage[:, None])


def ellipse(u: Tensor, v: Tensor, ru: Tensor | float, rv: Tensor | float) -> Tensor:
    """Signed distance (good near the edge) to an axis-aligned ellipse with half axes ru, rv: [B, h, w]."""
    least = torch.minimum(torch.as_tensor(ru), torch.as_tensor(rv))
    return (torch.sqrt((u / ru) ** 2 + (v / rv) ** 2 + 1e-9) - 1) * least


def rectangle(u: Tensor, v: Tensor, ru: Tensor | float, rv: Tensor | float) -> Tensor:
    """Signed distance (exact inside and at the edges) to a rectangle with half sides ru, rv: [B, h, w]."""
    return torch.maximum(u.abs() - ru, v.abs() - rv)
