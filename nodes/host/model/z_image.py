"""Z-Image: layers for the text, for features of pictures and for pictures first, then for all of them together.

The references stand before the picture, and everything is filled up to a multiple of 32 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from comfy.ldm.lumina.model import NextDiT

from ....attention.routing.sequences import Grid, grid_of, reference_spans, text_spans, zimage_sequences
from .joint_stream import Forward, JointFamily, Stage


@dataclass(frozen=True)
class ZImageFamily(JointFamily):
    """Of ComfyUI's class for Lumina 2 those that fill sequences up."""

    network: ClassVar[type] = NextDiT

    def matches(self, network: Any) -> bool:
        """Whether a network is of this family."""
        return super().matches(network) and network.pad_tokens_multiple is not None

    def text_width(self, network: Any) -> int:
        """Numbers per token of text."""
        return network.cap_embedder[1].in_features

    def takes_photos(self, network: Any) -> bool:
        """Omni models alone have a part for features of pictures."""
        return network.siglip_embedder is not None

    def grid(self, network: Any, size: Sequence[int]) -> Grid:
        """Rows and columns of tokens."""
        return grid_of(size, network.patch_size)

    def stages(self, network: Any, forward: Forward) -> tuple[Stage, ...]:
        """Layers for the text, for features of pictures, for pictures, for everything."""
        sizes = [self.grid(network, size) for size in forward.references]
        texts, seen, pictures = zimage_sequences(
            text_spans(forward.text, forward.own),
            self.grid(network, forward.size),
            reference_spans(sizes, forward.people),
            forward.contexts,
            forward.visions if network.siglip_embedder is not None else None,
            network.pad_tokens_multiple,
        )
        parts = [(texts, network.context_refiner), (seen, network.siglip_refiner if seen else None)]
        parts.append((pictures, network.noise_refiner))
        stages = [Stage(tuple(spans), len(layers)) for spans, layers in parts if layers is not None]
        return (*stages, Stage((*texts, *seen, *pictures)))


Z_IMAGE = ZImageFamily(
    "Z-Image",
    together=3,
    cuts=False,
    experimental="experimental: tried with random weights alone, Omni's are not published",
)
