"""How one member acts, where this differs from the rest of the cast: layers, several photos, embeds scaling, control.

Names and arithmetic are those of ComfyUI_IPAdapter_plus, so settings carry over. Its middle block is never reached;
ours is, unless the adapter is loaded as `peer_compatible`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .layer_strengths import LayerStrengths, parse_layer_strengths

PARTS = ("input", "middle", "output")  # in the order in which a picture passes them
SDXL_TRANSFORMERS = 11  # what the weight types that name single transformers have one list for; every other has SD1.5's
WEAK = 0.2

# Weight type -> factor by the place (0 to 1) of a transformer among all.
SLOPES: dict[str, Callable[[float], float]] = {
    "ease in": lambda place: 0.05 + 0.95 * (1 - place),
    "ease out": lambda place: 0.05 + 0.95 * place,
    "ease in-out": lambda place: 0.05 + 0.95 * (1 - abs(2 * place - 1)),
    "reverse in-out": lambda place: 0.05 + 0.95 * abs(2 * place - 1),
}
# Weight type -> layer strengths of SD1.5 and of SDXL, as `layers` of Apply Cast (Advanced) takes them.
BY_LAYER = {
    "linear": ("", ""),
    "weak input": (f"input: {WEAK}",) * 2,
    "weak output": (f"output: {WEAK}",) * 2,
    "weak middle": (f"middle: {WEAK}",) * 2,
    "strong middle": (f"input: {WEAK}, output: {WEAK}",) * 2,
    "style transfer": ("all: 0, input 1-5: 1, output 5-11: 1", "all: 0, output 1: 1"),
    "composition": ("all: 0, input 7: 0.25, input 8: 1", "all: 0, input 8: 1"),
    "strong style transfer": ("input 7-8: 0", "input 8: 0"),
    "style and composition": ("input 7: 0.25, middle: 0, output 3-4: 0", "all: 0, input 8: 1, output 1: 1"),
}
WEIGHT_TYPES = (*BY_LAYER, *SLOPES)
V_ONLY, K_V, PENALTY, MEAN = "V only", "K+V", "K+V w/ C penalty", "K+mean(V) w/ C penalty"
SCALINGS = (V_ONLY, K_V, PENALTY, MEAN)
PENALTY_WIDTH = 1280.0  # of the widest layers, which are not penalised


@dataclass(frozen=True, eq=False)
class MemberSettings:
    """How one member acts.

    weight_type : of WEIGHT_TYPES
    layers      : multiplies that
    photos      : how several photos act, of recipe.PHOTOS or adapters.inputs.RULES; empty as the rest of the cast
    scaling     : what the strength multiplies, of SCALINGS
    control     : multiplies the IdentityNet in this member's region
    second, second_strength : another adapter for the same person, and its strength beside the member's
    """

    weight_type: str = "linear"
    layers: LayerStrengths = field(default_factory=LayerStrengths)
    photos: str = ""
    scaling: str = V_ONLY
    control: float = 1.0
    second: Any = None
    second_strength: float = 1.0

    @property
    def for_cross_attention(self) -> bool:
        """Whether anything is set that acts in cross-attention alone."""
        plain = self.weight_type == "linear" and not self.layers.items and self.scaling == V_ONLY
        return not plain or self.second is not None

    def factors(self, places: Sequence[tuple[str, int]]) -> tuple[float, ...]:
        """What multiplies the member's strength in each layer.

        places : part of the UNet and number of the block, of each layer
        """
        order = sorted(set(places), key=lambda place: (PARTS.index(place[0]), place[1]))
        if self.weight_type in SLOPES:
            slope = SLOPES[self.weight_type]
            by_type = {place: slope(number / len(order)) for number, place in enumerate(order)}
        else:
            known = parse_layer_strengths(BY_LAYER[self.weight_type][len(order) == SDXL_TRANSFORMERS])
            by_type = {place: known.of(*place) for place in order}
        return tuple(by_type[place] * self.layers.of(*place) for place in places)


def share_of(scaling: str, strength: float, width: int) -> float:
    """What multiplies a member's attention in a layer of a width; 0 only where the strength is."""
    if scaling == MEAN:
        return float(strength != 0)
    return strength * width / PENALTY_WIDTH if scaling == PENALTY else strength


def scaled(scaling: str, keys: Tensor, values: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Keys and values [..., T, width] of a member; their attention is then multiplied by `share_of`."""
    if scaling == V_ONLY:
        return keys, values
    if scaling != K_V:
        strength = strength * keys.shape[-1] / PENALTY_WIDTH
    if scaling != MEAN:
        return keys * strength, values
    mean = values.mean(-2, keepdim=True)
    return keys * strength, (values - mean) + mean * strength
