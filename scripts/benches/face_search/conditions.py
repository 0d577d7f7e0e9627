"""Rendered photos of unseen people under hard conditions, with where the face is: what searches are held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from ....demo.people import new_identities
from ....demo.renderer import render
from ....demo.scenes import Scene, photos

SIDE = 512
SMALL_FACE = 24  # pixels from forehead to chin
HEAD_TO_FACE = 1.72  # a face's height in half heights of the head (demo/geometry.py)


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, uint8 [H, W, 3], and the one face on it: its middle (x, y) and height in pixels."""

    picture: np.ndarray
    middle: np.ndarray
    height: float


Change = Callable[[Photo, np.ndarray, np.random.Generator], Photo]  # with the face's box, xyxy pixels


def people_with_photos(count: int, seed: int, condition: str) -> list[Photo]:
    """One photo of each of `count` people (the same for every seed and condition) under a condition of CONDITIONS."""
    who = new_identities(count, torch.Generator().manual_seed(8_100_001))
    scene = photos(who, torch.Generator().manual_seed(seed))
    if condition == "24 px faces":
        scene = _far_away(scene)
    draw, found = np.random.default_rng(seed), []
    for row in range(count):
        drawn = render(scene[row : row + 1], SIDE)
        picture = (drawn.picture[0] * 255).round().byte().permute(1, 2, 0).numpy()
        box = drawn.face_box[0, 0].numpy() * SIDE
        photo = Photo(picture, (box[:2] + box[2:]) / 2, float(box[3] - box[1]))
        found.append(CONDITIONS[condition](photo, box, draw))
    return found


def turned(degrees: float) -> Change:
    """About the picture's middle, onto a canvas that holds all of it."""

    def change(photo: Photo, _box: np.ndarray, _draw: np.random.Generator) -> Photo:
        import cv2

        matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, 1.0)
        reach = round(SIDE * float(np.abs(matrix[0, :2]).sum()))
        matrix[:, 2] += (reach - SIDE) / 2
        picture = cv2.warpAffine(photo.picture, matrix, (reach, reach), borderMode=cv2.BORDER_REPLICATE)
        return Photo(picture, matrix @ [*photo.middle, 1.0], photo.height)

    return change


def covered(photo: Photo, box: np.ndarray, draw: np.random.Generator) -> Photo:
    """A grey board over a third of the face, from the left, the right or below."""
    x0, y0, x1, y1 = box.round().astype(int)
    third = (x1 - x0) // 3, (y1 - y0) // 3
    boards = [(x0, y0, x0 + third[0], y1), (x1 - third[0], y0, x1, y1), (x0, y1 - third[1], x1, y1)]
    left, top, right, bottom = np.clip(boards[draw.integers(len(boards))], 0, SIDE)
    picture = photo.picture.copy()
    picture[top:bottom, left:right] = 110
    return replace(photo, picture=picture)


def blurred(photo: Photo, _box: np.ndarray, _draw: np.random.Generator) -> Photo:
    """A twentieth of the face's height, Gaussian."""
    import cv2

    return replace(photo, picture=cv2.GaussianBlur(photo.picture, (0, 0), photo.height / 20))


def close_up(photo: Photo, box: np.ndarray, _draw: np.random.Generator) -> Photo:
    """Cut at forehead, chin and cheeks."""
    x0, y0, x1, y1 = np.clip(box.round(), 0, SIDE).astype(int)
    return Photo(np.ascontiguousarray(photo.picture[y0:y1, x0:x1]), photo.middle - [x0, y0], photo.height)


def low_light(photo: Photo, _box: np.ndarray, draw: np.random.Generator) -> Photo:
    """A seventh of the light, with the noise of a small sensor."""
    dark = photo.picture / 7 + draw.normal(0, 5, photo.picture.shape)
    return replace(photo, picture=dark.clip(0, 255).round().astype(np.uint8))


CONDITIONS: dict[str, Change] = {
    "plain": lambda photo, _box, _draw: photo,
    **{f"turned by {degrees} degrees": turned(degrees) for degrees in (15, 30, 45, 60, 90)},
    "a third covered": covered,
    "blurred": blurred,
    "close-up": close_up,
    "24 px faces": lambda photo, _box, _draw: photo,
    "low light": low_light,
}


def _far_away(scene: Scene) -> Scene:
    size = torch.full_like(scene.place[..., 2:], SMALL_FACE / HEAD_TO_FACE / SIDE)
    return replace(scene, place=torch.cat([scene.place[..., :2], size], -1))
