"""Scenes in, pictures out, with everything that is known exactly: masks, depth, faces and their key points."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .brush import Window, window_around
from .geometry import face_boxes, key_points
from .person import draw_person
from .props import draw_ball, draw_plant
from .scenery import draw_background
from .scenes import KINDS, Scene

REACH = (1.95, 1.6, 5.6)  # how far a figure goes to each side, up and down, in half heights of its head
_PROPS = {KINDS.index("ball"): draw_ball, KINDS.index("plant"): draw_plant}


@dataclass(frozen=True)
class Rendered:
    """Pictures of a batch of scenes and what is true of them. P figures in the scenes' own order.

    picture    [B, 3, H, W] in 0..1
    mask       [B, P, H, W] visible part of each figure, 0..1
    depth      [B, 1, H, W] 0 far to 1 near
    face_box   [B, P, 4] x0, y0, x1, y1 in fractions of the picture
    key_points [B, P, 5, 2] in fractions of the picture
    visible    [B, P] share of the head, as far as it is inside the picture, that is not covered; 0 for props
    """

    picture: Tensor
    mask: Tensor
    depth: Tensor
    face_box: Tensor
    key_points: Tensor
    visible: Tensor


@torch.no_grad()
def render(scene: Scene, size: int | tuple[int, int] = 128) -> Rendered:
    """Draw scenes at a size in pixels, of a square or as height and width; far figures first.

    The canvas has a channel for each thing that a nearer figure covers: RGB, depth, a mask and a head for each figure.
    """
    height, width = size if isinstance(size, tuple) else (size, size)
    count, figures = scene.kind.shape
    everything = torch.arange(count, device=scene.kind.device)
    canvas = _empty_canvas(scene, height, width)
    whole_heads = torch.zeros(count, figures, device=canvas.device)
    order = scene.depth.argsort(1)
    for rank in range(figures):
        index = order[:, rank]
        window = window_around(scene.place[everything, index], (height, width), REACH)
        patch = window.cut(canvas)
        picture, cover, head = _draw_figure(window, patch[:, :3], scene, index)
        layers = patch[:, 3:] * (1 - cover[:, None])
        layers[:, 0] += cover * _nearness(window, scene.depth[everything, index])
        layers[everything, 1 + index] += cover
        layers[everything, 1 + figures + index] += head
        whole_heads[everything, index] = head.sum((1, 2))
        window.paste(canvas, torch.cat([picture, layers], 1))
    seen_heads = canvas[:, 4 + figures :].sum((2, 3))
    flat = [part.flatten(0, 1) for part in (scene.identity, scene.motion, scene.place)]
    return Rendered(
        picture=canvas[:, :3].clamp(0, 1),
        mask=canvas[:, 4 : 4 + figures],
        depth=canvas[:, 3:4].clamp(0, 1),
        face_box=face_boxes(*flat, width / height).view(count, figures, 4),
        key_points=key_points(*flat, width / height).view(count, figures, 5, 2),
        visible=torch.where(whole_heads > 0, seen_heads / whole_heads.clamp(min=1e-3), torch.zeros_like(seen_heads)),
    )


def _empty_canvas(scene: Scene, height: int, width: int) -> Tensor:
    """The places without anybody in them: [B, 4 + 2 P, height, width]. The ground comes nearer towards the bottom."""
    count, figures = scene.kind.shape
    canvas = torch.zeros(count, 4 + 2 * figures, height, width, device=scene.kind.device)
    canvas[:, :3] = draw_background(scene.background, height, width)
    canvas[:, 3] = 0.05 + 0.12 * (torch.arange(height, device=canvas.device) / height)[None, :, None]
    return canvas


def _nearness(window: Window, depth: Tensor) -> Tensor:
    """The depth map of figures at depth [B], each a little rounder than flat: [B, h, w]."""
    bulge = (1 - (window.u**2 + window.v**2) / 1.5).clamp(0, 1)
    return 0.35 + 0.5 * depth[:, None, None] + 0.06 * bulge


def _draw_figure(window: Window, patch: Tensor, scene: Scene, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Paint figure `index` [B] of each scene: the patch [B, 3, h, w], the coverage of it and of its head [B, h, w]."""
    everything = torch.arange(len(index), device=index.device)
    parts = (scene.kind, scene.identity, scene.motion, scene.shirt)
    kind, identity, motion, shirt = (part[everything, index] for part in parts)
    picture, cover, head = draw_person(window, patch, identity, motion, shirt)
    for which, draw in _PROPS.items():
        rows = (kind == which).nonzero().flatten()
        if len(rows):
            picture[rows], cover[rows] = draw(window.of(rows), patch[rows], identity[rows])
            head[rows] = 0
    return picture, cover, head
