"""Which rows of a model call are the positive prompt, and which crop of the picture each row sees.

ComfyUI tells a patch the position of each conditioning in the list that a guider evaluated, and every guider makes a
list of its own: [positive, negative], [negative, middle, positive], [negative] alone. What stays the same is each
conditioning's uuid, which the guider's own lists tie to a role.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from torch import Tensor

Area = tuple[int, int, float, float]
"""Height, width, top and left of a crop, in latent cells; these may lie between cells where a run draws a crop."""


@dataclass(frozen=True)
class PictureWindow:
    """A window along one side of the latent picture, as ComfyUI's context windows cut it.

    axis  : 0 for rows, 1 for columns
    first : the first row or column
    total : rows or columns of the whole picture
    """

    axis: int
    first: int
    total: int

    def latent(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the whole picture, from those of the window."""
        return (self.total, size[1]) if self.axis == 0 else (size[0], self.total)

    def area(self, size: tuple[int, int]) -> Area:
        """The window as a crop."""
        return (*size, self.first, 0) if self.axis == 0 else (*size, 0, self.first)


def picture_numbers(transformer_options: Mapping[str, Any]) -> tuple[int, ...]:
    """The numbers of the pictures that are evaluated, where a window cuts them out of a longer batch; else none.

    ComfyUI's context windows over a batch and AnimateDiff-Evolved's tell them.
    """
    window = transformer_options.get("context_window")
    if window is not None and window.dim == 0:
        return tuple(_indices(window))
    return tuple((transformer_options.get("ad_params") or {}).get("sub_idxs") or ())


def _indices(window: Any) -> list[int]:
    """What a window holds, with the frame before it, which ComfyUI may put first."""
    anchor = getattr(window, "causal_anchor_index", None)
    return [anchor, *window.index_list] if anchor is not None and anchor >= 0 else list(window.index_list)


def picture_window(transformer_options: Mapping[str, Any]) -> PictureWindow | None:
    """The window that is being evaluated; None for the whole picture, and for windows over frames of a film.

    Raises RuntimeError for a window in several pieces, which no region can be placed in.
    """
    window = transformer_options.get("context_window")
    if window is None or window.dim not in (2, 3):
        return None
    indices = _indices(window)
    if indices != list(range(indices[0], indices[0] + len(indices))):
        raise RuntimeError(
            "Troupe: Context Windows cuts this picture into windows of several pieces, and Apply Cast cannot place "
            "people in those. Choose the schedule 'standard_static' without closed loop."
        )
    return PictureWindow(window.dim - 2, indices[0], window.total_frames)


@dataclass(frozen=True)
class Row:
    """What one conditioning's rows are.

    positive : they follow the positive prompt; everything else (negative, middle, empty) gets the tokens of nobody
    area     : the crop of the picture they see, or None for the whole picture
    position : of their list among those that are evaluated
    tokens   : of their prompt, or None where that is not known
    negative : they follow the negative prompt
    """

    positive: bool
    area: Area | None
    position: int = 0
    tokens: int | None = None
    negative: bool = False


@dataclass(frozen=True)
class Step:
    """The rows of one evaluation of a guider's conditionings.

    latent   : rows and columns of the whole latent picture
    whole    : the part of it that is evaluated, None for all of it
    positive : of each evaluated list, whether it is the positive prompt
    rows     : (position of the list, uuid) -> Row
    pictures : numbers of the evaluated pictures among all that are sampled; none where all are evaluated
    negative : of each evaluated list, whether it is the negative prompt; none where that is not known
    """

    latent: tuple[int, int]
    whole: Area | None
    positive: tuple[bool, ...]
    rows: Mapping[tuple[int, UUID], Row]
    pictures: tuple[int, ...] = ()
    negative: tuple[bool, ...] = ()

    def pictures_of(self, images: int) -> tuple[int, ...]:
        """The numbers of the pictures of a call with so many of them; none where they are not known."""
        return self.pictures if len(self.pictures) == images else ()

    def call(self, rows: tuple[Row, ...], x: Tensor, evaluated: Tensor | None) -> Call | None:
        """A model call with these rows, one for each group, as ComfyUI lays it out; None where another pack did.

        x         : the call's input, [B, C, h, w]
        evaluated : the latents that ComfyUI evaluates, [I, C, H, W]
        """
        images = len(x) // len(rows)
        if evaluated is not None and x.ndim == evaluated.ndim == 4:
            size = rows[0].area[:2] if rows[0].area else tuple(evaluated.shape[-2:])
            if tuple(x.shape[-2:]) != size or images > len(evaluated):
                return None
        return Call(self.latent, rows, images, self.pictures_of(images))

    def of(self, indices: Sequence[int], uuids: Sequence[UUID]) -> tuple[Row, ...]:
        """The rows of one model call, from the positions and uuids that ComfyUI hands to patches.

        A pack that re-batches calls may hand on positions without matching uuids: then the list alone has a role.
        """
        paired = list(uuids) if len(uuids) == len(indices) else [None] * len(indices)
        negative = self.negative or (False,) * len(self.positive)
        return tuple(
            self.rows.get((index, uuid), Row(self.positive[index], self.whole, index, negative=negative[index]))
            for index, uuid in zip(indices, paired, strict=True)
        )


def resolve(
    conds: Sequence[list[dict] | None],
    named: Mapping[str, list[dict]],
    size: Sequence[int],
    window: PictureWindow | None = None,
    pictures: tuple[int, ...] = (),
) -> Step:
    """Name the conditionings that are about to be evaluated.

    conds  : the evaluated lists, as ComfyUI's calc_cond_batch gets them
    named  : the guider's conditionings by role
    size   : rows and columns of the latents that are evaluated
    window : which part of the picture these are, None for all of it
    pictures : numbers of these latents among all that are sampled, see `picture_numbers`

    A uuid alone does not decide: for a positive with an area, ComfyUI puts a copy of it, uuid included, into the
    negative list.
    """
    size = (size[0], size[1])
    whole = window.area(size) if window else None
    roles = [role_of(listed, named) for listed in conds]
    positive, negative = (tuple(role == wanted for role in roles) for wanted in ("positive", "negative"))

    def row(position: int, cond: dict) -> Row:
        area = _area(cond, size)
        if area is not None and window:
            area = (*area[:2], area[2] + whole[2], area[3] + whole[3])
        return Row(positive[position], area or whole, position, _tokens(cond), negative[position])

    rows = {
        (position, cond["uuid"]): row(position, cond) for position, listed in enumerate(conds) for cond in listed or ()
    }
    return Step(window.latent(size) if window else size, whole, positive, rows, pictures, negative)


def _tokens(cond: Mapping[str, Any]) -> int | None:
    text = getattr(cond.get("model_conds", {}).get("c_crossattn"), "cond", None)
    return text.shape[1] if isinstance(text, Tensor) and text.ndim == 3 else None


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


@dataclass(frozen=True)
class Call:
    """The rows of one call of the model.

    latent : rows and columns of the whole latent picture
    rows   : what each group of rows is
    images : pictures in each group
    pictures : their numbers among all that are sampled; none where they are counted from the first
    lost   : a sentence on what cannot be kept in this call, or nothing
    """

    latent: tuple[int, int]
    rows: tuple[Row, ...]
    images: int
    pictures: tuple[int, ...] = ()
    lost: str = ""

    def rows_by(self, kind: Callable[[Row], Hashable]) -> dict[Any, list[int]]:
        """The numbers of a batch's rows, by what kind of row each is."""
        found: dict[Any, list[int]] = {}
        for group, row in enumerate(self.rows):
            found.setdefault(kind(row), []).extend(range(group * self.images, (group + 1) * self.images))
        return found
