"""Orthogonal attention: a person adds only what the text does not say already (PuLID, arXiv 2404.16022, released code).

For person i with own attention A_i(x) to their tokens, the text's attention T(x), and one channel at a time:
    P_i(x)   = T(x) * sum over y of w_i(y) T(y) A_i(y) / sum over y of w_i(y) T(y)^2    what A_i says of T's
    out(x)   = T(x) + sum over i of share_i(x) * (A_i(x) - (1 - kept_i(x)) P_i(x))
`style` keeps nothing of it; `fidelity` keeps kept(x), what x gives to the first five tokens in a softmax of the bare
products q.k, without the root of the width, averaged over the heads. Published, y is every point of the picture and
w = 1: people in other regions then have a say in everybody's P. The regional methods count y as much as it is the
person's own, w_i = share_i; for one person everywhere both are the same.

The pack PuLID_ComfyUI reads the released code's average over axis 1, there the heads, off a product that is not cut
into heads: its kept is one number per person, the mean over y of a softmax over the whole width. That is `pooled`, and
not ours by default, because what a point keeps then depends on what else is in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .decoupled import Attend
from .kernel import fused_attention, log_mass
from .packed_rows import PackedRows

LEAD = 5  # tokens whose weight is what `fidelity` keeps
TINY = torch.finfo(torch.float32).tiny
NUMBERS = 1 << 25  # of pages that are worked on at a time: 128 MB in each of a few tensors


@dataclass(frozen=True)
class Method:
    """How a person's attention stands beside the text's.

    orthogonal : whether what the text says already is taken out
    lead       : the number of first tokens whose weight says how much of that is kept; 0 keeps nothing
    regional   : whether only the person's own points count
    pooled     : whether the first tokens' weight is one for the whole picture, as PuLID_ComfyUI has it
    """

    orthogonal: bool = False
    lead: int = 0
    regional: bool = False
    pooled: bool = False


METHODS = {
    "fidelity": Method(True, LEAD),
    "regional fidelity": Method(True, LEAD, regional=True),
    "style": Method(True),
    "regional style": Method(True, regional=True),
    "neutral": Method(),
}
# Tokens of zeros that stand beside a person's own and take weight from them. Of v1, those of its published app; of
# v1.1, whose app has a slider and no styles, its default for fidelity, and twice as many for style, as in v1.
ZERO_TOKENS = {
    "pulid": {"fidelity": 8, "style": 16, "neutral": 0},
    "pulid v1.1": {"fidelity": 20, "style": 40, "neutral": 0},
}


def zero_tokens_of(kind: str, method: str) -> int:
    """The zero tokens that a method of METHODS has by default in a format; 0 in formats that know no methods."""
    return ZERO_TOKENS.get(kind, {}).get(method.removeprefix("regional "), 0)


@dataclass(frozen=True, eq=False)
class OrthogonalRows:
    """Rows of the people with an orthogonal method: a page for each person in each picture of a batch.

    pages  : E pages; of a person whose method is not regional, all rows of the picture
    counts : [E, P] how much each row counts in the sums
    keeps  : [E] of how many first tokens' copies the weight is kept; 0 keeps nothing
    lead   : the number of first tokens, 0 where no page keeps anything
    pooled : [E] of whom that weight is one for all rows; None where of nobody
    others, length : how many tokens the sources of others and of these people have; None for all there are
    """

    pages: PackedRows
    counts: Tensor
    keeps: Tensor
    lead: int
    pooled: Tensor | None = None
    others: int | None = None
    length: int | None = None

    def to(self, device: torch.device) -> OrthogonalRows:
        """The same rows on a device; shares stay float32, as the sums are."""
        pages = self.pages.to(device, torch.float32)
        pooled = None if self.pooled is None else self.pooled.to(device)
        return replace(self, pages=pages, counts=self.counts.to(device), keeps=self.keeps.to(device), pooled=pooled)

    def of_others(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens of keys and values [S, T, C] that others' sources have."""
        return k[:, : self.others], v[:, : self.others]


def lay_out_orthogonal(
    share: Tensor,
    methods: Sequence[Method],
    sources: Tensor,
    copies: Tensor,
    lengths: tuple[int | None, int | None] = (None, None),
) -> OrthogonalRows:
    """The rows of people with an orthogonal method.

    share   : [G, N, M] on the CPU, as for `pack_rows`, 0 for members with another method
    methods : [M]
    sources : [G, images, M] int64 whose keys and values each member has in each picture
    copies  : [S] how often the tokens of each source are repeated as a whole
    lengths : tokens of others' sources, and of these
    """
    layer = (share != 0).long().cumsum(-1) - 1  # as in `pack_rows`: no row is added to twice in one layer
    rows, values, counts, source, column = [], [], [], [], []
    for group, member in (share != 0).any(1).nonzero().tolist():
        own, method = share[group, :, member].float(), methods[member]
        token = own.nonzero()[:, 0] if method.regional else torch.arange(len(own))
        in_layers = torch.stack([own[token] * (layer[group, token, member] == n) for n in range(int(layer.max()) + 1)])
        for picture, from_source in enumerate(sources[group, :, member].tolist()):
            rows.append((group * sources.shape[1] + picture) * len(own) + token)
            values.append(in_layers)
            counts.append(own[token] if method.regional else torch.ones_like(own))
            source.append(from_source)
            column.append(member)
    lead = [methods[member].lead for member in column]
    keeps = [float(copies[own]) if kept else 0.0 for own, kept in zip(source, lead, strict=True)]
    which = (torch.tensor(numbers, dtype=torch.long) for numbers in (source, column))
    pages = PackedRows(_stacked(rows).long(), *which, _stacked(values, 1))
    pooled = torch.tensor([methods[member].pooled for member in column]) if any(m.pooled for m in methods) else None
    return OrthogonalRows(pages, _stacked(counts), torch.tensor(keeps), max(lead, default=0), pooled, *lengths)


def _stacked(parts: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Rows [n] or [L, n] of unlike lengths as one tensor: those of rows of tokens filled up with 0."""
    size = max((part.shape[-1] for part in parts), default=0)
    filled = [torch.nn.functional.pad(part, (0, size - part.shape[-1])) for part in parts]
    return torch.stack(filled, dim) if filled else torch.zeros(*[0] * (dim + 2))


def orthogonal_attention(
    onto: Tensor,
    text: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    rows: OrthogonalRows,
    heads: int,
    strength: float | Tensor = 1.0,
    attend: Attend = fused_attention,
) -> Tensor:
    """Add the people of `rows`, without what the text says already, in one call of the kernel unless they are many.

    onto     : [B, N, H*D]  what is added to: the text's attention, and what others have added; not changed
    text     : [B, N, H*D]  the text's attention alone
    q, k, v  : as for `identity_attention`
    strength : of all people, or [E, P] of each row of the pages
    returns [B, N, H*D]  exactly `onto` where every share is 0; the sums are taken in float32
    """
    pages = rows.pages
    if len(pages.source) == 0:
        return onto
    k, v = (part[:, : rows.length].index_select(0, pages.source) for part in (k, v))
    asked = pages.gather(q)
    taken = _taken(asked, k, rows, heads)
    parts = (asked, k, v, pages.gather(text), rows.counts, taken)
    step = max(1, NUMBERS // parts[0][0].numel())
    done = [_left(*some, heads, attend) for some in zip(*(p.split(step) for p in parts), strict=True)]
    left = done[0] if len(done) == 1 else torch.cat(done)
    weight = strength[..., None] if isinstance(strength, Tensor) else strength
    return pages.scatter_onto(onto.flatten(0, 1).clone(), left * weight).view_as(onto)


def _left(q: Tensor, k: Tensor, v: Tensor, text: Tensor, counts: Tensor, taken: Tensor, heads: int, attend: Attend):
    """What some pages add: their attention without its part along the text's, float32 [E, P, H*D]."""
    heard, said = attend(q, k, v, heads).float(), text.float()
    counted = counts[..., None] * said
    along = (counted * heard).sum(1, keepdim=True) / (counted * said).sum(1, keepdim=True).clamp(min=TINY)
    return heard - taken[..., None] * along * said


def _taken(q: Tensor, k: Tensor, rows: OrthogonalRows, heads: int) -> Tensor:
    """How much of what the text says already is taken out of each row, float32 [E, P]."""
    if not rows.lead:
        return torch.ones_like(rows.counts)
    kept = lead_weight(q, k, heads, rows.lead)
    if rows.pooled is not None:
        undivided = lead_weight(q, k, 1, rows.lead)
        mean = (rows.counts * undivided).sum(1, keepdim=True) / rows.counts.sum(1, keepdim=True).clamp(min=TINY)
        kept = torch.where(rows.pooled[:, None], mean, kept)
    return 1 - rows.keeps[:, None] * kept


def lead_weight(q: Tensor, k: Tensor, heads: int, lead: int) -> Tensor:
    """What the first tokens weigh in a softmax of the bare products, mean over the heads: [E, P] float32.

    q, k : [E, P, H*D], [E, T, H*D]
    """
    bare = k.float() * (k.shape[-1] // heads) ** 0.5  # undoes the root in `log_mass`
    return (log_mass(q, bare[:, :lead], heads) - log_mass(q, bare, heads)).exp().mean(-1)
