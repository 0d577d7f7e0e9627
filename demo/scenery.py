"""Backgrounds of the offline world: sky, ground and a little scenery, so that the background carries information."""

import torch
from torch import Tensor

from .scenes import BACKGROUNDS

# Colours by background, in the order of BACKGROUNDS.
_TOP = torch.tensor(
    [
        [0.35, 0.72, 0.95],
        [0.35, 0.50, 0.40],
        [0.16, 0.14, 0.36],
        [0.75, 0.80, 0.88],
        [0.96, 0.86, 0.60],
        [0.93, 0.88, 0.82],
    ]
)
_GROUND = torch.tensor(
    [
        [0.98, 0.88, 0.63],
        [0.25, 0.55, 0.25],
        [0.05, 0.05, 0.16],
        [0.55, 0.57, 0.62],
        [0.88, 0.62, 0.34],
        [0.76, 0.60, 0.52],
    ]
)


def draw_background(background: Tensor, height: int, width: int) -> Tensor:
    """Pictures of empty places: background [B] index into BACKGROUNDS -> [B, 3, height, width] in 0..1.

    Lengths are heights: a wide picture has more trees, houses and dunes, not broader ones.
    """
    device = background.device
    y = ((torch.arange(height, device=device) + 0.5) / height)[None, :, None]
    x = ((torch.arange(width, device=device) + 0.5) / height)[None, None, :]
    middle = width / height / 2
    top, ground = _TOP.to(device)[background], _GROUND.to(device)[background]
    picture = torch.lerp(top[:, :, None, None], ground[:, :, None, None], y[:, None].expand(1, 1, height, width))

    def soft(edge: Tensor) -> Tensor:
        return torch.sigmoid(edge * height * 1.2)

    def paint(place: str, cover: Tensor, *colour: float) -> None:
        nonlocal picture
        here = (background == BACKGROUNDS.index(place))[:, None, None].float()
        tone = torch.tensor(colour, device=device)[None, :, None, None].expand_as(picture)
        picture = torch.lerp(picture, tone, (here * cover).expand(-1, height, width)[:, None])

    horizon = soft(y - 0.45) * soft(0.64 - y)
    treetops = soft(0.5 + 0.07 * torch.sin(x * 30) - y)
    moon = soft(0.03 - torch.hypot(x - 0.28 - middle, y - 0.16) + 0.05)
    houses = soft(torch.sin(x * 28) - 0.1) * soft(y - 0.40) * soft(0.75 - y)
    dunes = soft(y - 0.62 - 0.08 * torch.sin(x * 7))
    window = soft(0.2 - (x - middle).abs()) * soft(0.13 - (y - 0.2).abs())
    paint("beach", horizon, 0.15, 0.50, 0.76)
    paint("forest", treetops * 0.6, 0.12, 0.34, 0.18)
    paint("night", moon, 0.95, 0.93, 0.75)
    paint("city", houses * 0.6, 0.45, 0.47, 0.55)
    paint("desert", dunes * 0.6, 0.72, 0.46, 0.24)
    paint("room", window, 0.55, 0.80, 0.95)
    return picture
