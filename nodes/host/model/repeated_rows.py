"""Rows of a layer that another pack has repeated, matched to the rows of the model's call.

Packs that give regions a prompt of their own (Attention Couple and its kin) attend to several texts with copies of some
rows, group by group, and mix the copies afterwards with weights that sum to 1. Each copy gets the identities, so that
the mix has them once. They leave the rows alone whose list is in position 1, where ComfyUI usually has the negative
prompt; some also say in the layer's options which groups they have made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .rows import Row


def with_copies(rows: tuple[Row, ...], count: int, images: int, cond_or_uncond: Sequence[int]) -> tuple[Row, ...]:
    """The rows of a layer, copies included.

    rows   : of the model's call, one for each group
    count  : rows of the layer
    images : pictures in each group
    cond_or_uncond   : positions of the layer's groups, as its options have them
    Raises RuntimeError for a number of rows that copies cannot give.
    """
    groups, left_over = divmod(count, images)
    if left_over == 0:
        for copies in (_as_told(rows, cond_or_uncond, groups), _of_all_but(rows, groups), _of_positives(rows, groups)):
            if copies is not None:
                return tuple(copy for row, times in zip(rows, copies, strict=True) for copy in [row] * times)
    raise RuntimeError(
        f"Troupe: another node has changed the rows of an attention layer: there were {len(rows) * images}, and "
        f"{count} arrived. Apply Cast knows nodes that repeat the rows of prompts. "
        "Remove the node that does something else, or apply it to another branch of the model."
    )


def _as_told(rows: tuple[Row, ...], cond_or_uncond: Sequence[int], groups: int) -> list[int] | None:
    """How often each row stands there, if the options name as many groups as there are."""
    had, has = Counter(row.position for row in rows), Counter(cond_or_uncond)
    if len(cond_or_uncond) != groups or had.keys() != has.keys() or any(has[p] % had[p] for p in had):
        return None
    return [has[row.position] // had[row.position] for row in rows]


def _of_all_but(rows: tuple[Row, ...], groups: int) -> list[int] | None:
    """All but those in position 1 repeated equally often."""
    return _evenly([row.position != 1 for row in rows], groups)


def _of_positives(rows: tuple[Row, ...], groups: int) -> list[int] | None:
    """The positive prompt's rows repeated equally often."""
    return _evenly([row.positive for row in rows], groups)


def _evenly(repeated: list[bool], groups: int) -> list[int] | None:
    copies, left_over = divmod(groups - len(repeated), sum(repeated) or 1)
    if left_over or copies < 0 or not any(repeated):
        return None
    return [1 + copies * again for again in repeated]
