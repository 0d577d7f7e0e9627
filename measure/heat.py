"""A picture in grey with a person's colour where they acted."""

from __future__ import annotations

import numpy as np

from .annotate import Colour

DIMMED = 0.55  # of the picture's brightness where nobody acted
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def heat_over(picture: np.ndarray, heat: np.ndarray, colour: Colour) -> np.ndarray:
    """The picture, uint8 [H, W, 3], in dim grey, and in the colour with the square of the heat, [H, W] in 0..1.

    Attention differs by little within a region; the square makes that seen. The picture's light and dark stays a little
    in the coloured parts too, so that a face can be told from its surroundings.
    """
    grey = (picture.astype(np.float32) @ np.array(LUMA, np.float32))[..., None]
    lit = np.array(colour, np.float32) * (0.65 + 0.35 * grey / 255)
    heat = np.clip(heat, 0, 1)[..., None] ** 2
    return (grey * DIMMED * (1 - heat) + lit * heat).round().astype(np.uint8)
