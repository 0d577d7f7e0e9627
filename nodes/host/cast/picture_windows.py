"""Pictures that are sampled window by window: where in the picture a window lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Area = tuple[int, int, int, int]
"""Height, width, top and left of a crop, in latent cells."""


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


def picture_window(transformer_options: Mapping[str, Any]) -> PictureWindow | None:
    """The window that is being evaluated; None for the whole picture, and for windows over frames of a film.

    Raises RuntimeError for a window in several pieces, which no region can be placed in.
    """
    window = transformer_options.get("context_window")
    if window is None or window.dim not in (2, 3):
        return None
    anchor = getattr(window, "causal_anchor_index", None)  # the row before, which ComfyUI may put first
    indices = [anchor, *window.index_list] if anchor is not None and anchor >= 0 else list(window.index_list)
    if indices != list(range(indices[0], indices[0] + len(indices))):
        raise RuntimeError(
            "Troupe: Context Windows cuts this picture into windows of several pieces, and Apply Cast cannot place "
            "people in those. Choose the schedule 'standard_static' without closed loop."
        )
    return PictureWindow(window.dim - 2, indices[0], window.total_frames)
