"""FLUX.1 with Kontext, and FLUX.2: [text, picture, reference 1, reference 2 ...] in every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from comfy.ldm.flux.controlnet import ControlNetFlux
from comfy.ldm.flux.model import Flux

from ....attention.routing.sequences import Grid, grid_of
from .joint_stream import JointFamily


@dataclass(frozen=True)
class FluxFamily(JointFamily):
    """Both are one class of ComfyUI's; FLUX.2's blocks share their modulation."""

    network: ClassVar[type] = Flux
    shared_modulation: bool = False

    def matches(self, network: Any) -> bool:
        """Whether a network is of this family."""
        shared = getattr(getattr(network, "params", None), "global_modulation", False)
        return super().matches(network) and bool(shared) == self.shared_modulation

    def text_width(self, network: Any) -> int:
        """Numbers per token of text."""
        return network.params.context_in_dim

    def grid(self, network: Any, size: Sequence[int]) -> Grid:
        """Rows and columns of tokens."""
        return grid_of(size, network.patch_size)

    def control_blocks(self, network: Any) -> tuple[str, ...]:
        """Those of FLUX.1's, of every publisher."""
        return ("double_blocks", "single_blocks") if isinstance(network, ControlNetFlux) else ()

    def picture_places(self, network: Any) -> tuple[tuple[str, int], ...]:
        """Every second double block and every fourth single one, which are those of PuLID for FLUX.1."""
        if self.shared_modulation:
            return ()
        doubles, singles = (range(len(blocks)) for blocks in (network.double_blocks, network.single_blocks))
        return (*(("double_block", i) for i in doubles[::2]), *(("single_block", i) for i in singles[::4]))

    def picture_width(self, network: Any) -> int:
        """Numbers per token."""
        return network.hidden_size


FLUX1 = FluxFamily("FLUX.1", together=1, first_places=True)
FLUX2 = FluxFamily("FLUX.2", together=4, shared_modulation=True)
