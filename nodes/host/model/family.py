"""What a kind of model looks like to a cast: how its attention is laid out, and so which effects can act in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNET, JOINT = "cross-attention", "joint attention"
KINDS = frozenset({UNET, JOINT})


@dataclass(frozen=True)
class Family:
    """A family of models.

    name : as users know it
    kind : UNET: a picture attends to itself and, in layers of their own, to the text; adapters add to those
           JOINT: one attention holds text, picture and reference photos (joint_stream.JointFamily)
    """

    name: str
    kind: str

    def matches(self, network: Any) -> bool:
        """Whether a network as ComfyUI runs it is of this family."""
        raise NotImplementedError
