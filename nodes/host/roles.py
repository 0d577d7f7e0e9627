"""Which rows of a model call are the positive prompt, and which crop of the picture each row sees.

ComfyUI tells a patch the position of each conditioning in the list that a guider evaluated, and every guider makes a
list of its own: [positive, negative], [negative, middle, positive], [negative] alone. What stays the same is each
conditioning's uuid, which the guider's own lists tie to a role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Area = tuple[int, int, int, int]
"""Height, width, top and left of a crop, in latent cells."""


@dataclass(frozen=True)
class Row:
    """What one conditioning's rows are.

    positive : they follow the positive prompt; everything else (negative, middle, empty) gets the tokens of nobody
    area     : the crop of the picture they see, or None for the whole picture
    """

    positive: bool
    area: Area | None


@dataclass(frozen=True)
class Step:
    """The rows of one evaluation of a guider's conditionings.

    latent   : rows and columns of the whole latent picture
    positive : of each evaluated list, whether it is the positive prompt
    rows     : (position of the list, uuid) -> Row
    """

    latent: tuple[int, int]
    positive: tuple[bool, ...]
    rows: Mapping[tuple[int, UUID], Row]

    def of(self, indices: Sequence[int], uuids: Sequence[UUID]) -> tuple[Row, ...]:
        """The rows of one model call, from the positions and uuids that ComfyUI hands to patches.

        A pack that re-batches calls may hand on positions without matching uuids: then the list alone has a role.
        """
        paired = list(uuids) if len(uuids) == len(indices) else [None] * len(indices)
        return tuple(
            self.rows.get((index, uuid), Row(self.positive[index], None))
            for index, uuid in zip(indices, paired, strict=True)
        )


def resolve(conds: Sequence[list[dict] | None], named: Mapping[str, list[dict]], latent: Sequence[int]) -> Step:
    """Name the conditionings that are about to be evaluated.

    conds  : the evaluated lists, as ComfyUI's calc_cond_batch gets them
    named  : the guider's conditionings by role
    latent : rows and columns of the latent picture

    A uuid alone does not decide: for a positive with an area, ComfyUI puts a copy of it, uuid included, into the
    negative list.
    """
    height, width = latent
    positive = tuple(role_of(listed, named) == "positive" for listed in conds)
    rows = {
        (index, cond["uuid"]): Row(positive[index], _area(cond, (height, width)))
        for index, listed in enumerate(conds)
        for cond in listed or ()
    }
    return Step((height, width), positive, rows)


def role_of(listed: list[dict] | None, named: Mapping[str, list[dict]]) -> str | None:
    """The role whose list this is: the very list, else the shortest one that holds all its uuids, else None."""
    if not listed:
        return None
    for role, candidates in named.items():
        if candidates is listed:
            return role
    wanted = {cond["uuid"] for cond in listed}
    holding = {role: {cond["uuid"] for cond in candidates or ()} for role, candidates in named.items()}
    fitting = [role for role, uuids in holding.items() if wanted <= uuids]
    return min(fitting, key=lambda role: len(holding[role]), default=None)


def _area(cond: Mapping[str, Any], latent: tuple[int, int]) -> Area | None:
    """The crop as ComfyUI cuts it: clipped at the far edges."""
    if "area" not in cond:
        return None
    height, width, top, left = cond["area"]
    return min(height, latent[0] - top), min(width, latent[1] - left), top, left


def repeated(rows: tuple[Row, ...], count: int, images: int) -> tuple[Row, ...]:
    """The rows of a layer in which another pack has repeated those of the positive prompt.

    Packs that give regions a prompt of their own (Attention Couple and its kin) attend to several texts with copies of
    the positive rows, group by group, and mix the copies afterwards with weights that sum to 1. Each copy gets the
    identities, so that the mix has them once.

    count  : rows of the layer
    images : pictures in each group
    Raises RuntimeError for a number of rows that such copies cannot give.
    """
    groups, left_over = divmod(count, images)
    positives = sum(row.positive for row in rows)
    copies, uneven = divmod(groups - len(rows), positives or 1)
    if left_over or uneven or copies < 0 or not positives:
        raise RuntimeError(
            f"Troupe: another node has changed the rows of an attention layer: there were {len(rows) * images}, and "
            f"{count} arrived. Apply Cast knows nodes that repeat the rows of the positive prompt. "
            "Remove the node that does something else, or apply it to another branch of the model."
        )
    return tuple(copy for row in rows for copy in [row] * (1 + copies * row.positive))
