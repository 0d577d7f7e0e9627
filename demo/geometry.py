"""The measures of people that drawing, key points and face boxes share."""

import torch
from torch import Tensor

from .people import FIELD

EYE_V, MOUTH_V = -0.08, 0.54  # heights in the face, in half heights of the head below its centre
BEND = 1.5  # of the mouth, whose corners rise or fall by this much times its squared half width


def measure(identity: Tensor, name: str) -> Tensor:
    """A field of people, to be computed with over a window: identity [B, 24] -> [B, 1, 1]."""
    return identity[:, FIELD[name], None, None]


class Geometry:
    """How identities [B, 24] in motion [B, 5] are built: measures [B, 1, 1], lengths in half heights of the head."""

    def __init__(self, identity: Tensor, motion: Tensor):
        self.yaw, self.roll, self.smile, self.mouth_open, self.eye_open = (motion[:, i, None, None] for i in range(5))
        self.angle = self.roll * 0.3
        self.head_width = 0.66 + 0.2 * measure(identity, "head_width")
        self.jaw = 0.4 * measure(identity, "jaw")
        self.shift = self.yaw * 0.2  # features slide with the yaw
        self.eye_gap = 0.27 + 0.11 * measure(identity, "eye_gap")
        self.eye = 0.13 + 0.07 * measure(identity, "eye_size")
        self.nose_length = 0.16 + 0.16 * measure(identity, "nose_length")
        self.mouth_width = 0.3 + 0.12 * measure(identity, "mouth_width")


def key_points(identity: Tensor, motion: Tensor, place: Tensor, aspect: float = 1.0) -> Tensor:
    """Eyes, nose and corners of the mouth, left to right on the picture, in fractions of it: [B, 5, 2].

    identity [B, 24], motion [B, 5], place [B, 3] as in `Scene`, one figure each
    aspect : width of the pictures in heights
    """
    g = Geometry(identity, motion)
    gap, yaw, width = g.eye_gap.flatten(), g.yaw.flatten(), g.mouth_width.flatten()
    eyes = torch.full_like(gap, EYE_V)
    nose = 0.08 + g.nose_length.flatten() * 0.8
    corners = (MOUTH_V - g.smile * BEND * g.mouth_width**2 * 0.6).flatten()
    u = torch.stack([-gap, gap, yaw * 0.06, -width, width], 1) + g.shift.flatten()[:, None]
    v = torch.stack([eyes, eyes, nose, corners, corners], 1)
    cos, sin = torch.cos(g.angle.flatten())[:, None], torch.sin(g.angle.flatten())[:, None]
    x, y = (u * cos - v * sin) / aspect, u * sin + v * cos
    return place[:, None, :2] + torch.stack([x, y], -1) * place[:, None, 2:]


def face_boxes(identity: Tensor, motion: Tensor, place: Tensor, aspect: float = 1.0) -> Tensor:
    """Forehead to chin, cheek to cheek, x0, y0, x1, y1 in fractions of the picture: [B, 4]; inputs as `key_points`."""
    g = Geometry(identity, motion)
    width, angle = g.head_width.flatten(), g.angle.flatten()
    below = torch.stack([-torch.sin(angle) * 0.12 / aspect, 0.12 * torch.cos(angle)], -1)
    half = torch.stack([width * (1 + 0.1 * angle.abs()) / aspect, torch.full_like(width, 0.86)], -1) * place[:, 2:]
    centre = place[:, :2] + below * place[:, 2:]
    return torch.cat([centre - half, centre + half], -1)
