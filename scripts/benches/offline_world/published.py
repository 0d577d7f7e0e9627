"""Which of two systems came out ahead in the papers, and what is measured here in place of their figures."""

from __future__ import annotations

from dataclasses import dataclass

STRIPS, OVERLAPPING = "side by side", "in boxes that overlap"


@dataclass(frozen=True)
class Ordering:
    """One comparison of a paper: `ahead` has the higher `field` of `behind`.

    ahead, behind : names of ways, see paper_rows.WAYS_OF_PAPERS
    field     : what stands here for the published measure
    people    : how many are in the picture
    where     : STRIPS, with a depth ControlNet, or OVERLAPPING, with regions alone
    published : the paper's measure with its two figures, or that it gives none
    """

    ahead: str
    behind: str
    field: str
    people: int
    where: str
    published: str


# AnyMS, arXiv 2512.23537v2, ablation on combinations of at least three subjects. Its measures are of layout (mIoU),
# likeness (CLIP-I) and text (CLIP-T).
_MERGED, _APART = "AnyMS without crop-and-merge", "AnyMS without local decoupling"
ANYMS = (
    Ordering("AnyMS", _MERGED, "iou", 3, OVERLAPPING, "mIoU 44.55 over 38.78"),
    Ordering("AnyMS", _MERGED, "own", 3, OVERLAPPING, "CLIP-I 73.45 over 72.13"),
    Ordering("AnyMS", _APART, "own", 3, STRIPS, "CLIP-I 73.45 over 67.26"),
    Ordering("AnyMS", _APART, "prompted", 3, STRIPS, "CLIP-T 36.50 over 35.38"),
)

# DynamicID, arXiv 2503.06505, ablation on one person: its gate is said to buy editability for a little likeness. Here
# the same is asked of two. Its largest ablation, without the reconfigurer, is missing here as the reconfigurer is.
_OPEN = "DynamicID without the gate"
DYNAMICID = (
    Ordering("DynamicID", _OPEN, "prompted", 2, STRIPS, "one person: CLIP-T 0.239 over 0.224"),
    Ordering("DynamicID", _OPEN, "expression", 2, STRIPS, "one person: Expr 0.456 over 0.422"),
    Ordering("DynamicID", _OPEN, "look", 2, STRIPS, "one person: Pose 0.878 over 0.862"),
    Ordering(_OPEN, "DynamicID", "own", 2, STRIPS, "one person: FaceSim 0.682 over 0.671"),
)

# MultiID, arXiv 2511.20401: its abstract says what each strategy is for, and holds no ablation. These four are our
# reading of it, not orderings that were published.
MULTIID = (
    Ordering("MultiID", "MultiID without decoupling", "right_place", 2, STRIPS, "read off its abstract"),
    Ordering("MultiID", "MultiID without decoupling", "own", 2, STRIPS, "read off its abstract"),
    Ordering("MultiID", "MultiID without local prompts", "margin", 2, STRIPS, "read off its abstract"),
    Ordering("MultiID", "MultiID without references", "own", 2, STRIPS, "read off its abstract"),
)

# InstantFamily, arXiv 2404.19427, publishes no ablation: what is ours here is that hard masks are what it takes.
INSTANTFAMILY = (
    Ordering("InstantFamily", "InstantFamily literal", "own", 2, STRIPS, "not published: hard masks over literal"),
    Ordering("InstantFamily", "InstantFamily literal", "right_place", 2, STRIPS, "not published: hard over literal"),
)

ORDERINGS = (*MULTIID, *ANYMS, *DYNAMICID, *INSTANTFAMILY)
