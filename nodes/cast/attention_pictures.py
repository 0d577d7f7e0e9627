"""Recorded maps as pictures: each member's over each picture, a strip of all of them, and masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ...attention.maps.attribution_maps import ActionMaps, resized
from ...attention.maps.views import acted, by_group, by_step, group_labels, step_labels
from ...measure.annotate import Mark, annotate, member_colour
from ...measure.grid import Cell, draw_grid
from ...measure.heat import heat_over
from ...measure.lettering import shortened

STEPS, LAYERS = "steps", "layers"
STRIPS = (STEPS, LAYERS)
CELL = 128  # pixels of a picture in a strip along its longer side
GROUND = 128  # grey, where no picture is connected
LETTERS = 18


def overlays(maps: ActionMaps, pictures: Sequence[np.ndarray], layers: str, start: float, end: float):
    """Overlays and masks, picture by picture and in each member by member.

    pictures : B, uint8 [H, W, 3]
    returns pictures, uint8 [k H, k W, 3] each, and masks [B * M, H, W] in 0..1
    """
    size = pictures[0].shape[:2]
    masks = resized(acted(maps, layers, start, end), size).transpose(0, 1)  # [B, M, H, W]
    drawn = [
        _named(heat_over(picture, mask.numpy(), member_colour(member)), maps.names[member], member)
        for picture, own in zip(pictures, masks, strict=True)
        for member, mask in enumerate(own)
    ]
    return drawn, masks.flatten(0, 1)


def strips(maps: ActionMaps, pictures: Sequence[np.ndarray], strip: str, layers: str, start: float, end: float):
    """For each picture a sheet with a row for each member, uint8 [H, W, 3]: a column for each step, or layer group."""
    if strip == STEPS:
        columns, labels = list(by_step(maps, layers)), step_labels(maps)
    else:
        columns, labels = by_group(maps, start, end), group_labels(maps)
    small = [_thumbnail(picture) for picture in pictures]
    return [_sheet(maps.names, columns, labels, picture, number) for number, picture in enumerate(small)]


def grounds(latents: Tensor, pixels: int = 8) -> list[np.ndarray]:
    """Grey pictures of the size that latents [B, C, H, W] are decoded to."""
    batch, _, height, width = latents.shape
    return [np.full((height * pixels, width * pixels, 3), GROUND, np.uint8)] * batch


def _sheet(
    names: Sequence[str], columns: Sequence[Tensor], labels: Sequence[str], picture: np.ndarray, number: int
) -> np.ndarray:
    """columns: of each [M, B, h, w]; number: of the picture in the batch."""
    rows = []
    for member, name in enumerate(names):
        heats = [resized(column[member, number][None], picture.shape[:2])[0].numpy() for column in columns]
        over = [heat_over(picture, heat, member_colour(member)) for heat in heats]
        rows.append([Cell(cell, name, (label,)) for cell, label in zip(over, labels, strict=True)])
    return draw_grid(rows, CELL)


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    """The picture by a whole factor smaller, or as it is, so that a strip of a large one costs little."""
    factor = max(1, max(picture.shape[:2]) // CELL)
    height, width = (side // factor * factor for side in picture.shape[:2])
    parts = picture[:height, :width].reshape(height // factor, factor, width // factor, factor, 3)
    return parts.mean((1, 3)).round().astype(np.uint8)


def _named(picture: np.ndarray, name: str, member: int) -> np.ndarray:
    height, width = picture.shape[:2]
    label = shortened(name, max(width, 512) / 2, LETTERS)
    return annotate(picture, [Mark((0, 0, width - 1, height - 1), label, member_colour(member), strong=False)])
