"""Calls whose rows another pack has arranged: which rows are which, and what part of the picture they see.

Tiling packs cut what ComfyUI is about to evaluate into tiles and run several of them in one call, tile by tile, without
a word to patches. So rows are known by what they are: by their text, which says whose prompt they follow, and by their
latents, which are found again in those that ComfyUI meant to evaluate. Both ask the device once in such a call, and
nothing in any other.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .rows import Area, Call, Row, Step

Arrangement = list[tuple[int, int]]
"""Of each run of rows in a call, one for each evaluated picture: the number of their group, and of their tile."""


def call_of(step: Step, rows: tuple[Row, ...], x: Tensor, evaluated: Tensor, text: Tensor | None) -> Call:
    """The rows of a model call that is not laid out as ComfyUI does it (see `Step.call`).

    rows      : of the call as ComfyUI laid it out, one for each group
    x         : the call's input, [B, C, h, w]
    evaluated : the latents that ComfyUI evaluates, [I, C, H, W]
    text      : [B, L, width] the text tokens of each row, or None where they are not known
    Raises RuntimeError for rows that fit no arrangement of these groups.
    """
    images = len(x) // len(rows)
    size = rows[0].area[:2] if rows[0].area else tuple(evaluated.shape[-2:])
    tiles, left_over = divmod(len(x), len(rows) * len(evaluated))
    if left_over or not tiles:
        return Call(step.latent, rows, images, step.pictures_of(images), _sentence(x, size))
    arrangement = _arrangement(len(rows), tiles, text, len(evaluated))
    firsts = [next(run for run, (_, own) in enumerate(arrangement) if own == tile) for tile in range(tiles)]
    places = _places(x[:: len(evaluated)][firsts], evaluated[0])
    placed = tuple(_placed(rows[group], places[tile], x, step) for group, tile in arrangement)
    lost = _sentence(x, size) if None in places else ""
    return Call(step.latent, placed, len(evaluated), step.pictures_of(len(evaluated)), lost)


def _arrangement(groups: int, tiles: int, text: Tensor | None, images: int) -> Arrangement:
    """Tile by tile, as tiling packs have them, unless the texts of the rows say group by group."""
    by_tile = [(group, tile) for tile in range(tiles) for group in range(groups)]
    by_group = [(group, tile) for group in range(groups) for tile in range(tiles)]
    if tiles == 1 or groups == 1 or text is None or len(text) != groups * tiles * images:
        return by_tile
    texts = text[::images]
    alike = (texts[:, None] == texts[None]).flatten(2).all(-1).tolist()
    for arrangement in (by_tile, by_group):
        known = [group for group, _ in arrangement]
        if all(alike[a][b] for a, x in enumerate(known) for b, y in enumerate(known) if x == y):
            return arrangement
    raise RuntimeError(
        f"Troupe: another node has put {len(text)} rows of {groups} prompts into one call of the model, in an order "
        "that Apply Cast does not know. Set the node's batch of tiles to 1, or remove it."
    )


def _places(tiles: Tensor, evaluated: Tensor) -> list[tuple[int, int] | None]:
    """Top and left of tiles [T, C, h, w] in the latents [C, H, W] they were cut from; None where not found."""
    height, width = tiles.shape[-2:]
    if height > evaluated.shape[-2] or width > evaluated.shape[-1]:
        return [None] * len(tiles)
    corner = (evaluated[None] == tiles[:, :, :1, :1].to(evaluated)).all(1).nonzero().tolist()
    places: list[tuple[int, int] | None] = [None] * len(tiles)
    for tile, top, left in corner:
        part = evaluated[:, top : top + height, left : left + width]
        if part.shape == tiles.shape[1:] and places[tile] is None and torch.equal(part, tiles[tile].to(part)):
            places[tile] = top, left
    return places


def _placed(row: Row, place: tuple[int, int] | None, x: Tensor, step: Step) -> Row:
    if place is None:
        return row
    top, left = step.whole[2:] if step.whole else (0, 0)
    area: Area = (x.shape[-2], x.shape[-1], top + place[0], left + place[1])
    return replace(row, area=area)


def _sentence(x: Tensor, size: tuple[int, int]) -> str:
    return (
        f"Troupe: another node samples parts of the picture ({x.shape[-2]} x {x.shape[-1]} latent cells, where "
        f"{size[0]} x {size[1]} were evaluated) and changes them on the way, so it is not known where they lie. People "
        "keep to the regions of a whole picture in every part. Sample in one piece, or with a tiling that leaves the "
        "latents as they are (Context Windows, Tiled Diffusion's MultiDiffusion)."
    )
