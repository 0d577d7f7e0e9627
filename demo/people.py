"""Who lives in the offline world: the numbers that make a person (or a prop), and the colours that follow from them."""

import torch
from torch import Tensor

# fmt: off
FIELDS = (
    "skin", "skin_tint", "hair_colour", "hair_shade", "eye_colour", "lip_colour", "lip_shade",
    "head_width", "jaw", "shoulders", "hair_style", "hair_volume", "ears", "beard", "eye_gap", "eye_size",
    "brow_thickness", "brow_tilt", "nose_length", "nose_width", "mouth_width", "lip_thickness", "hairline", "glasses",
)
HAIR_COLOURS = torch.tensor(
    [
        [0.06, 0.05, 0.05], [0.25, 0.14, 0.07], [0.47, 0.28, 0.12], [0.92, 0.76, 0.34], [0.78, 0.30, 0.10],
        [0.80, 0.80, 0.84], [0.42, 0.12, 0.52], [0.08, 0.36, 0.62], [0.10, 0.45, 0.28], [0.90, 0.42, 0.62],
    ]
)
# fmt: on
FIELD = {name: index for index, name in enumerate(FIELDS)}
HAIR_STYLES = ("bald", "short", "long", "afro", "fringe", "bob")
BEARDS = ("none", "full", "chin", "moustache")
GLASSES = ("none", "round", "dark")


def new_identities(count: int, generator: torch.Generator) -> Tensor:
    """Draw identities: [count, 24] numbers in [0, 1), one column for each name in `FIELDS`.

    Props read the same numbers in their own way.
    """
    return torch.rand(count, len(FIELDS), generator=generator, device=generator.device)


def choice(identity: Tensor, name: str, options: int) -> Tensor:
    """A field read as one of `options` equally likely kinds: identity [..., 24] -> long [...]."""
    return (identity[..., FIELD[name]] * options).long().clamp(max=options - 1)


def hue(h: Tensor, saturation: float, value: float) -> Tensor:
    """Colours around the wheel: h [...] in [0, 1) -> [..., 3] RGB in [0, 1]."""
    offsets = torch.tensor([5.0, 3.0, 1.0], device=h.device)
    k = (offsets + h[..., None] * 6) % 6
    return value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1)


def colours(identity: Tensor) -> dict[str, Tensor]:
    """Skin, hair, eyes and lips of identities [..., 24], each [..., 3] RGB in [0, 1]."""

    def field(name: str) -> Tensor:
        return identity[..., FIELD[name], None]

    def rgb(*values: float) -> Tensor:
        return torch.tensor(values, device=identity.device)

    skin = rgb(0.99, 0.85, 0.74) - rgb(0.64, 0.60, 0.58) * field("skin")
    skin = skin + (field("skin_tint") - 0.5) * rgb(0.08, -0.03, -0.08)
    hair = HAIR_COLOURS.to(identity.device)[choice(identity, "hair_colour", len(HAIR_COLOURS))]
    hair = hair * (0.85 + 0.3 * field("hair_shade"))
    lips = rgb(0.60, 0.16, 0.20) + rgb(0.32, 0.0, 0.0) * field("lip_colour")
    lips = lips + rgb(0.0, 0.28, 0.22) * field("lip_shade")
    return {
        "skin": skin.clamp(0, 1),
        "hair": hair.clamp(0, 1),
        "eyes": hue(identity[..., FIELD["eye_colour"]], 0.8, 0.7),
        "lips": lips.clamp(0, 1),
    }
