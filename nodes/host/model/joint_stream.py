"""Families whose one attention holds text, picture and references: what a forward's sequence depends on, as numbers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import comfy.ldm.modules.attention as attention
import comfyui_version

from ....attention.routing.sequences import Grid, joint_sequence, reference_spans, text_spans
from ....attention.routing.token_map import Span
from .family import JOINT, Family


@dataclass(frozen=True)
class Forward:
    """One row of a call of the model, before the model makes a sequence of it.

    size       : rows and columns of the latents
    text       : tokens of its text
    own        : [M] tokens of each member's prompt at the end of that; 0 for none
    references : rows and columns of every reference's latents
    people     : whose the last of those are
    contexts   : tokens of texts that belong to references
    visions    : tokens of a vision encoder's features of references
    kept       : tokens that are left of each of the last references, None for all of one's; or empty
    """

    size: Grid
    text: int
    own: tuple[int, ...]
    references: tuple[Grid, ...]
    people: tuple[frozenset[int], ...]
    contexts: tuple[int, ...] = ()
    visions: tuple[int, ...] = ()
    kept: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Stage:
    """Layers in a row that attend over the same sequence.

    spans : whose its tokens are, in their order
    calls : how many layers these are, None for all that follow
    """

    spans: tuple[Span, ...]
    calls: int | None = None


@dataclass(frozen=True)
class JointFamily(Family):
    """A family of this kind.

    network      : the class of its networks
    together     : how many people's references the model takes where it is left free to mix them; more are new to it
    first_places : whether it was trained with one reference, so that each member's is put where that one lies
    cuts         : whether tokens can be taken out of its sequence (ComfyUI's `post_input` patches)
    experimental : what is not known of it yet, for its log line; empty for nothing
    """

    network: ClassVar[type]
    kind: str = JOINT
    together: int = 1
    first_places: bool = False
    cuts: bool = True
    experimental: str = ""

    def matches(self, network: Any) -> bool:
        """Whether a network is of this family."""
        return isinstance(network, self.network)

    def text_width(self, network: Any) -> int:
        """Numbers per token of text."""
        raise NotImplementedError

    def takes_photos(self, network: Any) -> bool:
        """Whether a network reads references."""
        return True

    def grid(self, network: Any, size: Sequence[int]) -> Grid:
        """Rows and columns of the tokens of latents whose last two sides are `size`."""
        raise NotImplementedError

    def picture_places(self, network: Any) -> tuple[tuple[str, int], ...]:
        """The blocks behind which adapters add people to the picture, as ComfyUI names them; none where none do."""
        return ()

    def picture_width(self, network: Any) -> int:
        """Numbers per token of the picture in these blocks."""
        raise NotImplementedError

    def control_blocks(self, network: Any) -> tuple[str, ...]:
        """The lists of blocks in the network of a ControlNet for this family that attend to [text, picture].

        Empty where that is not known of it.
        """
        return ()

    def stages(self, network: Any, forward: Forward) -> tuple[Stage, ...]:
        """The sequences that the layers of a forward attend over, in their order.

        Here it is one, [text, picture, references]. Families with other orders, or with layers over parts, say theirs.
        """
        sizes = [self.grid(network, size) for size in forward.references]
        spans = joint_sequence(
            text_spans(forward.text, forward.own),
            self.grid(network, forward.size),
            reference_spans(sizes, forward.people, forward.kept),
        )
        return (Stage(tuple(spans)),)


def lacking(family: JointFamily) -> str | None:
    """A sentence where this ComfyUI hands a family's attention to nobody, or knows no references in it; else None."""
    takes = inspect.signature(family.network.forward).parameters
    if hasattr(attention, "wrap_attn") and ("ref_latents" in takes or "kwargs" in takes):
        return None
    return (
        f"this ComfyUI ({comfyui_version.__version__}) has no place where the attention of {family.name} can be "
        "answered, or gives it no reference pictures. Update ComfyUI; 0.30.0 is known to work"
    )
