"""Pictures in poor light: dark or washed out, so that all they show lies within few shades.

Stretching what there is to the full range undoes an exposure that was too short, in the sensor's light as well as after
the usual gamma, which turns a factor into a factor; taking off the darkest shade undoes haze. On rendered dark photos
gamma and local equalisation (CLAHE) found fewer faces and recognised a third of those that this does.
"""

from __future__ import annotations

import numpy as np

DARKEST, BRIGHTEST = 0.01, 0.98  # of the pixels: the brightest may be a lamp
FEW, LEAST = 64, 8  # shades: faces in good light have 90 and more; below the least there is nothing to be seen
HAZE = 0.5  # of the brightest shade: what is darkest in a picture without haze may be less dark than black, up to this
MOST_GAIN = 16


def levels(picture: np.ndarray) -> tuple[int, int]:
    """The shades, 0 to 255, between which a picture, uint8 [H, W, 3], lies but for its darkest and brightest pixels."""
    import cv2

    counts = cv2.calcHist([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)], [0], None, [256], [0, 256]).ravel()
    share = np.cumsum(counts, dtype=np.float64) / counts.sum(dtype=np.float64)
    black, white = np.searchsorted(share, (DARKEST, BRIGHTEST))
    return int(black), int(white)


def is_dim(picture: np.ndarray) -> bool:
    """Whether a picture is in poor light."""
    black, white = levels(picture)
    return LEAST <= white - black < FEW


def stretched(picture: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """The picture with its shades, or those of `like`, spread over the full range, colours kept: uint8 [H, W, 3]."""
    import cv2

    black, white = levels(picture if like is None else like)
    black = black if black > HAZE * white else 0
    gain = min(MOST_GAIN, 255 / max(1, white - black))
    return cv2.LUT(picture, ((np.arange(256) - black) * gain).clip(0, 255).round().astype(np.uint8))


def well_lit(crop: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A part of a picture, stretched where it is in poor light.

    As the whole picture would be, if that is in poor light as well: so dark skin stays darker than light skin.
    """
    if not is_dim(crop):
        return crop
    return stretched(crop, picture if is_dim(picture) else crop)
