"""Local prompts: in its region, a member's own prompt is attended to beside the picture's prompt.

    text(x) = b T_global(x) + (1 - b) ( sum_i G_i(x) T_i(x) + (1 - sum_i G_i(x)) T_global(x) )

(regional text of MultiID, arXiv 2511.20401, whose constants are not public; the mixing and its base ratio b are those
of RPG, arXiv 2401.11708). T_i is a softmax of its own over that prompt, so prompts may have any lengths. Members
without a prompt, and cells that nobody covers, keep the picture's prompt bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .decoupled import Attend
from .kernel import fused_attention
from .packed_rows import PackedRows, pack_rows


@dataclass(frozen=True, eq=False)
class PromptLayout:
    """Where prompts of members act in the rows of one call on one grid, for B = G * images rows of N tokens.

    pages : by prompt length, the rows of the members with such prompts; sources count within the length
    keep  : [B, N, 1] the part of the picture's prompt
    """

    pages: Mapping[int, PackedRows]
    keep: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> PromptLayout:
        """The same layout on a device, with shares of a dtype."""
        pages = {length: page.to(device, dtype) for length, page in self.pages.items()}
        return PromptLayout(pages, self.keep.to(device, dtype))


def lay_out_prompts(shares: Tensor, positive: Sequence[bool], lengths: Sequence[int], base: float, images: int):
    """The layout of a cast's prompts.

    shares   : [G, N, M] on the CPU, the composited share of each member in each of G groups of rows
    positive : [G] whether a group follows the positive prompt; the others keep their own prompt
    lengths  : [M] tokens of each member's prompt, 0 for none
    base     : b
    images   : pictures in each group
    returns a PromptLayout
    """
    asked = torch.tensor(positive)[:, None, None] & (torch.tensor(lengths) > 0)
    weights = shares * asked * (1 - base)
    # Where regions add up to more than 1 (compositor `sum`), the prompts split what there is.
    weights = weights / shares.sum(-1, keepdim=True).clamp(min=1)
    pages = {}
    for length in sorted({length for length in lengths if length}):
        members = [index for index, own in enumerate(lengths) if own == length]
        pages[length] = pack_rows(weights[..., members], images)
    keep = (1 - weights.sum(-1, keepdim=True)).repeat_interleave(images, 0)
    return PromptLayout({length: page for length, page in pages.items() if len(page.source)}, keep)


def mix_prompts(
    onto: Tensor,
    q: Tensor,
    keys_values: Mapping[int, tuple[Tensor, Tensor]],
    layout: PromptLayout,
    heads: int,
    attend: Attend = fused_attention,
) -> Tensor:
    """The attention to the picture's prompt, mixed with that to the members' own.

    onto        : [B, N, H*D] the attention to the picture's prompt; not changed
    q           : [B, N, H*D]
    keys_values : by prompt length L, [members with such a prompt, L, H*D] each
    returns [B, N, H*D]  exactly `onto` where no member with a prompt has a share
    """
    if not layout.pages:
        return onto
    total = (onto * layout.keep).flatten(0, 1)
    for length, pages in layout.pages.items():
        k, v = (t.index_select(0, pages.source) for t in keys_values[length])
        total = pages.scatter_onto(total, attend(pages.gather(q), k, v, heads))
    return total.view_as(onto)
