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

from .outlines import Outline, bands, cover

SHAPES = ("box", "ellipse", "mask")


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

    def __post_init__(self) -> None:
        if any("\ud800" <= sign <= "\udfff" for sign in self.name):
            raise ValueError(
                f"The name of a region, '{self.name.encode('unicode_escape').decode()}', holds half of a character, "
                "which no file, log or picture can show. Type the name again."
            )


def rasterise(regions: Sequence[Region], height: int, width: int) -> Tensor:
    """The part of every pixel that each region covers.

    returns [R, height, width] float32 in [0, 1]; a picture without regions gives [0, height, width]
    """
    rows = torch.linspace(0, 1, height + 1, dtype=torch.float64)
    columns = torch.linspace(0, 1, width + 1, dtype=torch.float64)
    masks = torch.zeros(len(regions), height, width)
    for region, mask in zip(regions, masks, strict=True):
        _cover(region, rows, columns, width / height, mask)
    return masks


def coverage(region: Region, rows: Tensor, columns: Tensor, aspect: float = 1.0) -> Tensor:
    """The part of each cell that a region covers; for a painted mask, the mean of the mask over the cell.

    rows, columns : [H + 1], [W + 1] float64, rising edges of the cells in fractions of the picture
    aspect        : width of the whole picture over its height; a rotation turns the region as it is seen
    returns [H, W] float32 in [0, 1]
    """
    mask = torch.zeros(len(rows) - 1, len(columns) - 1)
    _cover(region, rows, columns, aspect, mask)
    return mask


def _cover(region: Region, rows: Tensor, columns: Tensor, aspect: float, out: Tensor) -> None:
    """Write the coverage into `out`, [H, W] of zeros; beside it there are never more than a few bands of rows."""
    if region.shape != "mask" and not (region.shape == "box" and is_upright(region)):
        cover(outline_of(region, aspect), rows, columns, out)
        return
    painted = _painted(region) if region.shape == "mask" else None
    for band in bands(*out.shape):
        edges = rows[band.start : band.stop + 1]
        if painted is None:
            out[band] = torch.outer(*box_sides(region, edges, columns))
        else:
            out[band] = _mean_of_pixels(region, painted, edges, columns)


def outline_of(region: Region, aspect: float) -> Outline:
    """The outline of a box or an ellipse, turned as it is seen."""
    angle = math.radians(region.rotation)
    wide, high = region.width * aspect / 2, region.height / 2
    return Outline(
        centre=(region.x + region.width / 2, region.y + region.height / 2),
        first=(wide * math.cos(angle) / aspect, wide * math.sin(angle)),
        second=(-high * math.sin(angle) / aspect, high * math.cos(angle)),
        curved=region.shape == "ellipse",
    )


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


def _painted(region: Region) -> Tensor:
    """[H, W] on the CPU; ValueError when there is no such mask."""
    if region.mask is None or region.mask.ndim != 2:
        shape = "no mask" if region.mask is None else f"a mask of shape {tuple(region.mask.shape)}"
        raise ValueError(f"Region '{region.name}' has the shape 'mask' but {shape}; it needs one of shape [H, W].")
    return region.mask.detach().cpu()


def _mean_of_pixels(region: Region, mask: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The mean of a mask [h, w] over each cell, [H, W] float64; only its pixels within the rows are looked at."""
    high = region.height / len(mask)
    first, last = ((float(rows[end]) - region.y) / high for end in (0, -1))
    first, last = max(math.floor(first), 0), min(math.ceil(last), len(mask))
    if first >= last:
        return torch.zeros(len(rows) - 1, len(columns) - 1, dtype=torch.float64)
    pixels = mask[first:last].double().clamp(0, 1)
    across = _means(pixels, region.x, region.width, columns)
    return _means(across.mT, region.y + first * high, (last - first) * high, rows).mT.clamp(0, 1)


def _means(values: Tensor, start: float, length: float, edges: Tensor) -> Tensor:
    """Means over the cells of the last axis of what equal pixels hold, 0 beside them.

    values        : [..., n] of the pixels
    start, length : of the span that they fill
    edges         : [N + 1] rising edges of the cells
    returns [..., N]
    """
    count = values.shape[-1]
    at = ((edges - start) * (count / length)).clamp(0, count)
    pixel = at.long().clamp(max=count - 1)
    before = torch.nn.functional.pad(values.cumsum(-1), (1, 0))
    sums = before.index_select(-1, pixel) + (at - pixel) * values.index_select(-1, pixel)
    return sums.diff() * (length / count) / edges.diff()


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
    mask = _painted(region)
    rows, columns = ((at * count).floor().long() for at, count in zip((down, across), mask.shape, strict=True))
    inside = torch.outer((rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1]))
    seen = mask[rows.clamp(0, mask.shape[0] - 1)][:, columns.clamp(0, mask.shape[1] - 1)]
    return seen.double().clamp(0, 1).float() * inside
