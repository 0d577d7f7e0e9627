"""What one cast adds to the cross-attention layers in one call of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ....attention.masked import TextKeys
from ....attention.modes import attend_to_identities
from .cast_call import Call
from .cast_run import CastRun
from .member_prompts import PromptTerm
from .row_copies import with_copies


@dataclass(frozen=True, eq=False)
class CastTerm:
    """Everything that the layers of one call need.

    run         : the caches of the sampling run
    call        : the rows of the call
    keys_values : of every layer, [S, T, H*D] each
    boosted     : whether the step is one of those that the released gate boosts
    prompts     : members' own prompts, or None
    """

    run: CastRun
    call: Call
    keys_values: tuple[tuple[Tensor, Tensor], ...]
    boosted: bool
    prompts: PromptTerm | None = None

    def __call__(
        self,
        onto: Tensor,
        q: Tensor,
        k: Tensor,
        layer: int,
        heads: int,
        grid: tuple[int, int],
        told: Sequence[int],
    ) -> Tensor:
        """What comes out of a layer, [B, N, H*D], where `onto` is its attention to the text with keys `k` [B, L, H*D].

        layer : its number in the order of adapter files
        grid  : rows and columns of its tokens
        told  : positions of the groups of its rows, as its options have them
        """
        patch, call = self.run.patch, self.call
        strength = patch.recipe.layers.of(*patch.blocks[layer].key[:2])
        if not strength or not any(call.active):
            return onto
        if len(q) != len(call.rows) * call.images:
            call = replace(call, rows=with_copies(call.rows, len(q), call.images, told))
        layout = self.run.layout(grid, call, q.device, q.dtype)
        text = TextKeys(k, self.run.text_repeats(call, k.shape[1], k.device))
        keys, values = (t.to(q) for t in self.keys_values[layer])
        return self.attend(layer, grid, call, layout, onto, q, text, keys, values, heads, strength, self.boosted)

    def attend(self, layer: int, grid: tuple[int, int], call: Call, *inputs) -> Tensor:
        """The layer's attention to the identities; `inputs` as for `attend_to_identities`, without the recipe."""
        return attend_to_identities(self.run.patch.recipe, *inputs)
