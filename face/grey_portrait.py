"""The face as PuLID's image encoder saw it in training: upright, grey, on white.

The published code (PuLID, arXiv 2404.16022) aligns a face to the FFHQ template at 512 pixels and lets a face-parsing
network paint white what is neither face nor hair: background, clothes, hats, ears and neck. Here an ellipse stands in
for that network. It follows from the key points alone, because these decide where everything lies in the crop.
"""

from __future__ import annotations

import numpy as np

from .alignment import similarity_transform

SIDE = 512
FFHQ_512 = np.array(  # eyes, nose and corners of the mouth, as facexlib's template has them
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
CENTRE = np.array([256.0, 262.0])  # of the ellipse: from the hair above the forehead to the chin, cheek to cheek
HALF = np.array([152.0, 214.0])
GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
WHITE = 255


def grey_portrait(photo: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """The face of five key points, uint8 [512, 512, 3] with equal channels.

    photo     : uint8 [H, W, 3]
    keypoints : [5, 2] pixels (see Face)
    Outside of the ellipse, and where the photo has ended, it is white.
    """
    import cv2

    move = similarity_transform(keypoints, FFHQ_512)
    white = (WHITE,) * 3
    aligned = cv2.warpAffine(np.ascontiguousarray(photo), move, (SIDE, SIDE), borderValue=white)
    grey = np.where(_inside(), np.rint(aligned @ GREY), WHITE).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _inside() -> np.ndarray:
    """Which pixels lie in the ellipse, bool [512, 512]."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    return ((x - CENTRE[0]) / HALF[0]) ** 2 + ((y - CENTRE[1]) / HALF[1]) ** 2 < 1
