"""One call of the model as a cast sees it."""

from __future__ import annotations

from dataclasses import dataclass

from .roles import Row


@dataclass(frozen=True)
class Call:
    """The rows of one call of the model.

    latent : rows and columns of the whole latent picture
    rows   : what each group of rows is
    images : pictures in each group
    active : [I] which members act in this step
    """

    latent: tuple[int, int]
    rows: tuple[Row, ...]
    images: int
    active: tuple[bool, ...]
