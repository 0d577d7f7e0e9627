"""Where a member of the cast appears: named boxes, ellipses and painted masks, and how much of each cell they cover.

Everything is measured in fractions of the picture, x to the right and y down, so that one region fits every layer,
every picture size and every crop of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

SHAPES = ("box", "ellipse", "mask")

# Points per cell and axis at which curved and rotated outlines are sampled: 64 grey levels per cell.
SAMPLES = 8


@dataclass(frozen=True, eq=False)
class Region:
    """A named part of the picture.

    name          : how a member of the cast refers to it
    shape         : "box", "ellipse" (inscribed in the box) or "mask" (stretched over the box)
    x, y          : top left corner of the box, in fractions of the picture; may lie outside of it
    width, height : of the box, in fractions of the picture
    rotation      : degrees clockwise about the box's centre, of a box or an ellipse
    order         : depth; a smaller number is nearer (compositor `depth`)
    mask          : [H, W] in [0, 1] for the shape "mask", else None
    """

    name: str
    shape: str = "box"
    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0
    rotation: float = 0.0
    order: int = 0
    mask: Tensor | None = field(default=None, repr=False)  # hosts print values into logs


def rasterise(regions: Sequence[Region], height: int, width: int) -> Tensor:
    """The part of every pixel that each region covers.

    returns [R, height, width] float32 in [0, 1]; a picture without regions gives [0, height, width]
    """
    rows = torch.linspace(0, 1, height + 1, dtype=torch.float64)
    columns = torch.linspace(0, 1, width + 1, dtype=torch.float64)
    if not regions:
        return torch.zeros(0, height, width)
    return torch.stack([coverage(region, rows, columns, width / height) for region in regions])


def coverage(region: Region, rows: Tensor, columns: Tensor, aspect: float = 1.0) -> Tensor:
    """The part of each cell that a region covers; for a painted mask, the mean of the mask over the cell.

    rows, columns : [H + 1], [W + 1] float64, rising edges of the cells in fractions of the picture
    aspect        : width of the whole picture over its height; a rotation turns the region as it is seen
    returns [H, W] float32 in [0, 1]
    """
    if region.shape == "mask":
        return _mask_coverage(region, rows, columns)
    if region.shape == "box" and is_upright(region):
        return _box_coverage(region, rows, columns)
    return _sampled_coverage(region, rows, columns, aspect)


def is_upright(region: Region) -> bool:
    """True when the region's box is parallel to the picture's edges (turned by 0 or 180 degrees)."""
    return region.rotation % 180 == 0


def overlap(edges: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The part of each cell of one axis that lies within each interval.

    edges     : [N + 1] rising edges of the cells
    low, high : [S] ends of the intervals
    returns [N, S] in [0, 1]
    """
    start, end = edges[:-1, None], edges[1:, None]
    shared = torch.minimum(end, high[None]) - torch.maximum(start, low[None])
    return shared.clamp(min=0) / (end - start)


def box_sides(region: Region, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """The part of each row [H] and of each column [W] of cells that an upright box covers."""
    down = overlap(rows, rows.new_tensor([region.y]), rows.new_tensor([region.y + region.height]))
    across = overlap(columns, columns.new_tensor([region.x]), columns.new_tensor([region.x + region.width]))
    return down[:, 0], across[:, 0]


def _box_coverage(region: Region, rows: Tensor, columns: Tensor) -> Tensor:
    return torch.outer(*box_sides(region, rows, columns)).float()


def _painted(region: Region) -> Tensor:
    """[H, W] float64 on the CPU; ValueError when there is no such mask."""
    if region.mask is None or region.mask.ndim != 2:
        shape = "no mask" if region.mask is None else f"a mask of shape {tuple(region.mask.shape)}"
        raise ValueError(f"Region '{region.name}' has the shape 'mask' but {shape}; it needs one of shape [H, W].")
    return region.mask.detach().to("cpu", torch.float64).clamp(0, 1)


def _mask_coverage(region: Region, rows: Tensor, columns: Tensor) -> Tensor:
    mask = _painted(region)
    pixel_rows = region.y + region.height * torch.linspace(0, 1, mask.shape[0] + 1, dtype=torch.float64)
    pixel_columns = region.x + region.width * torch.linspace(0, 1, mask.shape[1] + 1, dtype=torch.float64)
    down = overlap(rows, pixel_rows[:-1], pixel_rows[1:])  # [H, mask rows]
    across = overlap(columns, pixel_columns[:-1], pixel_columns[1:])  # [W, mask columns]
    return (down @ mask @ across.mT).clamp(0, 1).float()


def _sampled_coverage(region: Region, rows: Tensor, columns: Tensor, aspect: float) -> Tensor:
    """An outline that no axis splits, by the part of SAMPLES x SAMPLES points per cell that lie inside."""
    inside = values_at(region, sample_points(rows, SAMPLES), sample_points(columns, SAMPLES), aspect)
    if not inside.any():  # smaller than the distance between samples
        return _box_coverage(region, rows, columns)
    return mean_of_samples(inside, SAMPLES)


def values_at(region: Region, y: Tensor, x: Tensor, aspect: float = 1.0) -> Tensor:
    """The value of a region at points: 1 inside an outline and 0 outside, or the pixel of a painted mask.

    y, x   : [H], [W] in fractions of the picture
    aspect : width of the whole picture over its height
    returns [H, W] float32; of regions that only touch, at most one holds a point
    """
    if region.shape == "mask":
        return _pixels(region, (y - region.y) / region.height, (x - region.x) / region.width)
    angle = math.radians(region.rotation)
    right = (x[None] - (region.x + region.width / 2)) * aspect
    down = y[:, None] - (region.y + region.height / 2)
    along = (right * math.cos(angle) + down * math.sin(angle)) / (region.width * aspect / 2)
    across = (down * math.cos(angle) - right * math.sin(angle)) / (region.height / 2)
    if region.shape == "ellipse":
        return (along**2 + across**2 < 1).float()
    return ((along >= -1) & (along < 1) & (across >= -1) & (across < 1)).float()


def sample_points(edges: Tensor, samples: int) -> Tensor:
    """Midpoints of equal parts of every cell: [N + 1] edges to [N * samples] points."""
    offsets = (torch.arange(samples, dtype=edges.dtype) + 0.5) / samples
    return (edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * offsets).flatten()


def mean_of_samples(values: Tensor, samples: int) -> Tensor:
    """[..., H * samples, W * samples] -> [..., H, W], the mean over each cell's points."""
    return values.unflatten(-1, (-1, samples)).unflatten(-3, (-1, samples)).mean((-1, -3))


def _pixels(region: Region, down: Tensor, across: Tensor) -> Tensor:
    """[H, W] values of a painted mask at points given in fractions of its box; 0 outside of it."""
    mask = _painted(region).float()
    rows, columns = ((at * count).floor().long() for at, count in zip((down, across), mask.shape, strict=True))
    inside = torch.outer((rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1]))
    return mask[rows.clamp(0, mask.shape[0] - 1)][:, columns.clamp(0, mask.shape[1] - 1)] * inside
