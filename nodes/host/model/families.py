"""The families of models that Troupe knows, by the class of their network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from .blocks import cross_attention_blocks, unet_of
from .family import UNET, Family
from .flux import FLUX1, FLUX2
from .joint_stream import JointFamily, lacking
from .qwen_image import QWEN_IMAGE
from .z_image import Z_IMAGE


@dataclass(frozen=True)
class UNetFamily(Family):
    """Stable Diffusion 1.5, SDXL and what was made from them."""

    kind: str = UNET

    def matches(self, network: Any) -> bool:
        """Whether a network is of this family."""
        return isinstance(network, UNetModel)


FAMILIES: tuple[Family, ...] = (UNetFamily("Stable Diffusion 1.5 or SDXL"), FLUX1, FLUX2, QWEN_IMAGE, Z_IMAGE)


def family_of(model: Any) -> Family:
    """The family of a model patcher's network.

    Raises ValueError for a model of none, or where this ComfyUI is too old for the one it is of.
    """
    network = unet_of(model.model)
    for family in FAMILIES:
        if family.matches(network):
            found = lacking(family) if isinstance(family, JointFamily) else None
            if found:
                raise ValueError(f"Troupe: {found}.")
            return family
    *names, last = (family.name for family in FAMILIES)
    raise ValueError(
        f"Troupe: this model is a {type(network).__name__}. Apply Cast places people in models of these families: "
        f"{', '.join(names)} and {last}. Load one of them."
    )


def text_width(model: Any, family: Family) -> int | None:
    """Numbers per token of text that a model patcher's network reads; None where it reads none."""
    if isinstance(family, JointFamily):
        return family.text_width(unet_of(model.model))
    return next((block.context for block in cross_attention_blocks(model)), None)


def family_lines() -> list[str]:
    """A line per family: whether a cast can be drawn with it here, and what it needs."""
    lines = []
    for family in FAMILIES:
        if not isinstance(family, JointFamily):
            lines.append(f"{family.name}: with an identity adapter")
            continue
        found = lacking(family)
        note = f"; {family.experimental}" if family.experimental else ""
        lines.append(
            f"! {family.name}: {found}" if found else f"{family.name}: from photos, with the model's VAE{note}"
        )
    return lines
