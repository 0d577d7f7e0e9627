"""How a person is drawn into a window of each picture: legs first, glasses last."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .brush import Brush, Window, ellipse, rectangle
from .geometry import BEND, EYE_V, MOUTH_V, Geometry, measure
from .people import BEARDS, GLASSES, HAIR_STYLES, choice, colours

SHIRT_COLOURS = torch.tensor(
    [
        [0.85, 0.10, 0.10],
        [0.12, 0.25, 0.85],
        [0.10, 0.62, 0.22],
        [0.97, 0.84, 0.10],
        [0.08, 0.08, 0.10],
        [0.96, 0.96, 0.96],
    ]
)


@dataclass(frozen=True)
class _Sitter:
    """What every part of a person is drawn with. Coordinates are [B, h, w], in half heights of the head.

    body_u, body_v  upright coordinates, 0 at the centre of the head
    u, v            the same, turned with the head
    face_u          u measured from the middle of the face, which slides with the yaw
    tint            colours [B, 3] of skin, hair, eyes and lips
    """

    brush: Brush
    identity: Tensor
    geometry: Geometry
    tint: dict[str, Tensor]
    body_u: Tensor
    body_v: Tensor
    u: Tensor
    v: Tensor
    face_u: Tensor

    def number(self, name: str) -> Tensor:
        """A field as a number in 0..1: [B, 1, 1]."""
        return measure(self.identity, name)

    def wears(self, name: str, options: tuple[str, ...], one: str) -> Tensor:
        """Whose field `name`, read as one of `options`, is this one: bool [B, 1, 1]."""
        return (choice(self.identity, name, len(options)) == options.index(one))[:, None, None]


def draw_person(
    window: Window, patch: Tensor, identity: Tensor, motion: Tensor, shirt: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Paint one person per picture.

    patch [B, 3, h, w], identity [B, 24], motion [B, 5], shirt [B] as in `Scene`
    returns the painted patch, and the coverage of the whole figure and of the head [B, h, w] in 0..1
    """
    sitter = _sitter(window, patch, identity, motion)
    brush, skin, hair = sitter.brush, sitter.tint["skin"], sitter.tint["hair"]
    legs, neck, torso = (brush.coverage(shape) for shape in _body_shapes(sitter))
    behind = brush.coverage(_hair_behind(sitter)) * _has_hair(sitter)
    head_shape, ears_shape = _head_shape(sitter), _ears_shape(sitter)
    ears, head = brush.coverage(ears_shape), brush.coverage(head_shape)

    brush.paint(legs, 0.22)
    brush.paint(behind, hair * 0.78)
    brush.paint(neck, skin * 0.86)
    brush.paint(torso, SHIRT_COLOURS.to(patch.device)[shirt])
    brush.paint(ears, skin * 0.92)
    brush.paint(head, skin)
    _draw_beard(sitter, head_shape)
    _draw_eyes(sitter)
    _draw_brows(sitter)
    _draw_nose(sitter)
    _draw_mouth(sitter)
    _draw_hair_in_front(sitter)
    _draw_glasses(sitter)
    return brush.patch, torch.stack([legs, torso, neck, behind, head, ears]).amax(0), head


def _sitter(window: Window, patch: Tensor, identity: Tensor, motion: Tensor) -> _Sitter:
    g, body_u, body_v = Geometry(identity, motion), window.u, window.v
    u = body_u * torch.cos(g.angle) + body_v * torch.sin(g.angle)
    v = -body_u * torch.sin(g.angle) + body_v * torch.cos(g.angle)
    brush = Brush(patch, window.pixel)
    return _Sitter(brush, identity, g, colours(identity), body_u, body_v, u, v, u - g.shift)


def _body_shapes(s: _Sitter) -> tuple[Tensor, Tensor, Tensor]:
    """Signed distances to legs, neck and torso."""
    u, v, broad = s.body_u, s.body_v, 1.1 + 0.35 * s.number("shoulders")
    torso = torch.where(v < 2.3, ellipse(u, v - 2.3, broad, 1.1), torch.maximum(u.abs() - broad, v - 3.7))
    legs = torch.maximum(torch.maximum((u.abs() - broad * 0.48).abs() - broad * 0.36, 3.5 - v), v - 5.4)
    neck = torch.maximum(u.abs() - 0.26, torch.maximum(0.5 - v, v - 1.4))
    return legs, neck, torso


def _head_shape(s: _Sitter) -> Tensor:
    g = s.geometry
    narrowed = g.head_width * (1 - g.jaw * s.v.clamp(0, 1) ** 1.5)
    return ellipse(s.u, s.v, narrowed, 1.0)


def _ears_shape(s: _Sitter) -> Tensor:
    side = s.u.abs() - s.geometry.head_width * 0.97  # both ears at once, by symmetry
    turned = side + s.geometry.yaw * 0.1 * s.u.sign()
    return ellipse(turned, s.v - 0.02, 0.13 + 0.08 * s.number("ears"), 0.2 + 0.1 * s.number("ears"))


def _has_hair(s: _Sitter) -> Tensor:
    return 1 - s.wears("hair_style", HAIR_STYLES, "bald").float()


def _hair_volume(s: _Sitter) -> Tensor:
    return 0.05 + 0.14 * s.number("hair_volume")


def _hair_behind(s: _Sitter) -> Tensor:
    """Signed distance to the hair behind the head; the styles that have no shape of their own are short there."""
    u, v, wide, volume = s.u, s.v, s.geometry.head_width, _hair_volume(s)
    shapes = {
        "long": torch.maximum(ellipse(u, v - 0.3, wide + volume + 0.12, 1.35 + volume), v - 1.5),
        "afro": ellipse(u, v + 0.3, wide + 0.26 + volume, 0.96 + volume),
        "bob": torch.maximum(ellipse(u, v - 0.1, wide + volume + 0.18, 1.12 + volume), v - 0.62),
    }
    behind = torch.maximum(ellipse(u, v, wide + volume + 0.04, 1.03 + volume), v - 0.15)
    for style, shape in shapes.items():
        behind = torch.where(s.wears("hair_style", HAIR_STYLES, style), shape, behind)
    return behind


def _draw_hair_in_front(s: _Sitter) -> None:
    volume, hairline = _hair_volume(s), s.number("hairline")
    line = -0.42 - 0.22 * hairline + 0.24 * s.wears("hair_style", HAIR_STYLES, "fringe").float()
    parting = 0.3 * s.face_u * (hairline * 2 - 1)
    cap = ellipse(s.u, s.v, s.geometry.head_width * 1.03 + volume * 0.5, 1.03 + volume * 0.5)
    shape = torch.maximum(cap, s.v - line - parting)
    s.brush.paint(s.brush.coverage(shape) * _has_hair(s), s.tint["hair"])


def _draw_beard(s: _Sitter, head: Tensor) -> None:
    """Full, on the chin or a moustache, kept inside the head by its signed distance."""
    un, v = s.face_u, s.v
    full = torch.maximum(head, 0.3 - v + 0.25 * (un.abs() < 0.25))
    chin = torch.maximum(torch.maximum(head, 0.66 - v), un.abs() - 0.3)
    moustache = rectangle(un, v - 0.41, 0.3, 0.065)
    shape = torch.where(s.wears("beard", BEARDS, "chin"), chin, moustache)
    shape = torch.where(s.wears("beard", BEARDS, "full"), full, shape)
    shaved = s.wears("beard", BEARDS, "none")
    s.brush.paint(s.brush.coverage(shape) * ~shaved * 0.92, s.tint["hair"] * 0.85)


def _draw_eyes(s: _Sitter) -> None:
    g, brush = s.geometry, s.brush
    side, v = s.face_u.abs() - g.eye_gap, s.v - EYE_V  # both eyes at once, by symmetry
    gaze = side - g.yaw * 0.06 * s.face_u.sign()
    white = ellipse(side, v, g.eye * 1.25, g.eye * (g.eye_open * 0.8 + 0.12) + 0.015)
    brush.paint(brush.coverage(white), 0.97)
    brush.paint(brush.coverage(torch.maximum(ellipse(gaze, v, g.eye * 0.72, g.eye * 0.72), white)), s.tint["eyes"])
    brush.paint(brush.coverage(torch.maximum(ellipse(gaze, v, g.eye * 0.32, g.eye * 0.32), white)), 0.03)


def _draw_brows(s: _Sitter) -> None:
    g, side = s.geometry, s.face_u.abs() - s.geometry.eye_gap
    lift = g.eye * 1.25 + 0.10 + 0.08 * (g.mouth_open > 0.6)
    bow = (s.v - EYE_V) + lift + (s.number("brow_tilt") - 0.5) * 0.6 * side - 0.15 * side * side
    shape = rectangle(side, bow, g.eye * 1.5, 0.035 + 0.065 * s.number("brow_thickness"))
    s.brush.paint(s.brush.coverage(shape), s.tint["hair"] * 0.65)


def _draw_nose(s: _Sitter) -> None:
    length = s.geometry.nose_length
    u, v = s.face_u - s.geometry.yaw * 0.06, s.v - 0.1 - length * 0.5
    shape = ellipse(u, v, 0.07 + 0.09 * s.number("nose_width"), length * 0.55)
    s.brush.paint(s.brush.coverage(shape) * 0.6, s.tint["skin"] * 0.7)


def _draw_mouth(s: _Sitter) -> None:
    g, un, brush = s.geometry, s.face_u, s.brush
    bent = s.v - MOUTH_V + g.smile * BEND * (un * un - g.mouth_width**2 * 0.4)
    lips = rectangle(un, bent, g.mouth_width, 0.065 + 0.045 * s.number("lip_thickness") + g.mouth_open * 0.12)
    brush.paint(brush.coverage(lips), s.tint["lips"])
    inside = brush.coverage(rectangle(un, bent, g.mouth_width * 0.8, g.mouth_open * 0.11))
    brush.paint(inside * (g.mouth_open > 0.15), 0.1)


def _draw_glasses(s: _Sitter) -> None:
    g, v = s.geometry, s.v - EYE_V
    dark = s.wears("glasses", GLASSES, "dark")
    rim = ellipse(s.face_u.abs() - g.eye_gap, v, g.eye * 1.75, g.eye * 1.65)
    shape = torch.where(s.wears("glasses", GLASSES, "round"), rim.abs() - 0.035, rim)
    shape = torch.minimum(shape, rectangle(s.face_u, v, g.eye_gap - g.eye * 1.4, 0.025))
    worn = ~s.wears("glasses", GLASSES, "none")
    s.brush.paint(s.brush.coverage(shape) * worn * torch.where(dark, 0.85, 1.0), 0.05)
