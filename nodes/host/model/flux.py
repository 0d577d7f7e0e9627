"""FLUX.1 with Kontext, and FLUX.2: [text, picture, reference 1, reference 2 ...] in every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comfy.ldm.flux.model import Flux

from ....attention.routing.sequences import Grid, grid_of, joint_sequence, reference_spans, text_spans
from .joint_stream import Forward, JointFamily, Stage


@dataclass(frozen=True)
class FluxFamily(JointFamily):
    """Both are one class of ComfyUI's; FLUX.2's blocks share their modulation."""

    shared_modulation: bool = False

    def matches(self, network: Any) -> bool:
        """Whether a network is of this family."""
        return isinstance(network, Flux) and bool(network.params.global_modulation) == self.shared_modulation

    def text_width(self, network: Any) -> int:
        """Numbers per token of text."""
        return network.params.context_in_dim

    def grid(self, network: Any, size: Sequence[int]) -> Grid:
        """Rows and columns of tokens."""
        return grid_of(size, network.patch_size)

    def stages(self, network: Any, forward: Forward) -> tuple[Stage, ...]:
        """One: double and single blocks attend over the same tokens."""
        sizes = [self.grid(network, size) for size in forward.references]
        spans = joint_sequence(
            text_spans(forward.text, forward.own),
            self.grid(network, forward.size),
            reference_spans(sizes, forward.people),
        )
        return (Stage(tuple(spans)),)


FLUX1 = FluxFamily("FLUX.1", together=1, first_places=True)
FLUX2 = FluxFamily("FLUX.2", together=4, shared_modulation=True)
