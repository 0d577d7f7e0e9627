"""Qwen-Image and its edit models: [text, picture, reference 1, reference 2 ...] in every layer.

Edit models read photos twice: as latents, and as tokens that their text encoder makes of them, amid the text. A
member's prompt is theirs with all that is in it, so a photo encoded with it (TextEncodeQwenImageEditPlus, without a
VAE) is theirs too. What the main prompt was encoded with is everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel

from ....attention.routing.sequences import Grid, grid_of
from .joint_stream import JointFamily

# By the names of ComfyUI's classes: older versions have none of them, or the first alone.
CONTROL_BLOCKS = {
    "QwenImageControlNetModel": ("transformer_blocks",),
    "QwenImageFunControlNetModel": ("control_blocks",),
}


@dataclass(frozen=True)
class QwenImageFamily(JointFamily):
    """All of them are one class of ComfyUI's."""

    network: ClassVar[type] = QwenImageTransformer2DModel

    def text_width(self, network: Any) -> int:
        """Numbers per token of text."""
        return network.txt_in.in_features

    def control_blocks(self, network: Any) -> tuple[str, ...]:
        """Those of InstantX's and of the Fun family."""
        return CONTROL_BLOCKS.get(type(network).__name__, ())

    def grid(self, network: Any, size: Sequence[int]) -> Grid:
        """Rows and columns of tokens."""
        return grid_of(size, network.patch_size)


QWEN_IMAGE = QwenImageFamily(
    "Qwen-Image-Edit", together=3, experimental="experimental: not shown to part people in this family yet"
)
