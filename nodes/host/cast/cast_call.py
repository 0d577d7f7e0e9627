"""One call of the model as a cast sees it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

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

    def rows_by(self, kind: Callable[[Row], Hashable]) -> dict[Any, list[int]]:
        """The numbers of a batch's rows, by what kind of row each is."""
        found: dict[Any, list[int]] = {}
        for group, row in enumerate(self.rows):
            found.setdefault(kind(row), []).extend(range(group * self.images, (group + 1) * self.images))
        return found
