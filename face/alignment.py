"""Five key points to an upright face of a fixed size: the form in which recognisers were trained to see faces.

The template is the one every ArcFace-format recogniser uses (arXiv 1801.07698, section 2.1 of its released code):
eyes, nose and corners of the mouth in a picture of 112 x 112 pixels.
"""

from __future__ import annotations

import numpy as np

# fmt: off
TEMPLATE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float64,
)
# fmt: on


def template(size: int) -> np.ndarray:
    """Where the key points lie in an aligned crop of `size` pixels, float64 [5, 2].

    Multiples of 112 scale the template. Multiples of 128 frame the face wider: scaled by size / 128 and moved right by
    8 pixels of 128, which centres it. Raises ValueError for any other size, because no adapter was trained on one.
    """
    if size > 0 and size % 112 == 0:
        return TEMPLATE_112 * (size / 112)
    if size > 0 and size % 128 == 0:
        return (TEMPLATE_112 + np.array([8.0, 0.0])) * (size / 128)
    raise ValueError(f"An aligned crop has a size that is a multiple of 112 or 128 pixels, not {size}.")


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2 x 3 matrix of scale, rotation and shift that brings `source` closest to `target`, both [N, 2].

    Least squares without reflection (Umeyama 1991). In the plane, points are complex numbers z, w and the fit is the
    linear regression w = a z + b, with |a| the scale and arg(a) the angle. Raises ValueError when all source points
    coincide.
    """
    z = np.asarray(source, dtype=np.float64) @ [1, 1j]
    w = np.asarray(target, dtype=np.float64) @ [1, 1j]
    spread = np.sum(np.abs(z - z.mean()) ** 2)
    if not np.isfinite(spread) or spread == 0:
        raise ValueError(f"Key points must be finite and differ from each other to align a face, got {source}.")
    a = np.sum(np.conj(z - z.mean()) * (w - w.mean())) / spread
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def aligned_crop(image: np.ndarray, keypoints: np.ndarray, size: int = 112) -> np.ndarray:
    """The face upright and filling a square: uint8 [size, size, 3], black beyond the picture's border.

    image     : uint8 [H, W, 3]
    keypoints : [5, 2] pixels (see Face)
    """
    import cv2

    return cv2.warpAffine(image, similarity_transform(keypoints, template(size)), (size, size), borderValue=0.0)
