"""A node's moving bar in the editor; a run that the user stopped ends at its next move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import comfy.model_management
import comfy.utils
import numpy as np
from comfy.cli_args import LatentPreviewMethod, args
from PIL import Image

from ...face.detector import Detections
from ...face.engine import FaceEngine

SHOWN = 512  # pixels along a preview's longer side
PASSES = 57  # at most, over one photo: a search with a check after each (face.search)

T = TypeVar("T")


class Bar:
    """The bar of the node that is running, over items of several parts each. Outside of a run it shows nothing."""

    def __init__(self, items: int, parts: int = 1) -> None:
        self._items, self._parts = items, parts
        self._item, self._part = 0, 0
        self._bar = comfy.utils.ProgressBar(max(1, items * parts))

    def begin(self, item: int, picture: np.ndarray | None = None) -> None:
        """Move to an item; its picture, uint8 [H, W, 3], is shown on the node where previews are on.

        Raises the host's InterruptProcessingException where the user has stopped the run, as `part` does.
        """
        self._item, self._part = item, 0
        self._move(picture)

    def part(self) -> None:
        """Move on to the next part of the item; the last one is not left before the next item begins."""
        self._part = min(self._part + 1, self._parts - 1)
        self._move()

    def end(self) -> None:
        """Everything is done."""
        self._bar.update_absolute(self._items * self._parts)

    def _move(self, picture: np.ndarray | None = None) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        shown = None
        if picture is not None and args.preview_method != LatentPreviewMethod.NoPreviews:
            step = -(-max(picture.shape[:2]) // SHOWN)
            shown = ("JPEG", Image.fromarray(np.ascontiguousarray(picture[::step, ::step])), SHOWN)
        self._bar.update_absolute(self._item * self._parts + self._part, preview=shown)


class Moving(Sequence[T]):
    """A sequence that moves a bar whenever it is gone through; pictures in it are shown."""

    def __init__(self, items: Sequence[T], bar: Bar | None = None) -> None:
        self._items = items
        self._bar = bar or Bar(len(items))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index]

    def __iter__(self) -> Iterator[T]:
        for index, item in enumerate(self._items):
            self._bar.begin(index, item if isinstance(item, np.ndarray) else None)
            yield item
        self._bar.end()


class WatchedEngine:
    """A face engine that moves a bar with every detection pass over a picture; everything else is the engine's own."""

    def __init__(self, engine: FaceEngine, bar: Bar) -> None:
        self._engine, self._bar = engine, bar

    def __getattr__(self, name: str):
        return getattr(self._engine, name)

    def locate(self, image: np.ndarray, size: tuple[int, int], threshold: float) -> Detections:
        try:
            return self._engine.locate(image, size, threshold)
        finally:  # a graph that was ended because the user stopped the run ends the run, not with the graph's error
            self._bar.part()

    def embed(self, crops: np.ndarray) -> np.ndarray:
        try:
            return self._engine.embed(crops)
        finally:
            comfy.model_management.throw_exception_if_processing_interrupted()


def watched(engine: FaceEngine, pictures: Sequence[np.ndarray]) -> tuple[WatchedEngine, Moving[np.ndarray]]:
    """The engine and the pictures, which move one bar while faces are looked for: picture by picture, pass by pass."""
    bar = Bar(len(pictures), PASSES)
    return WatchedEngine(engine, bar), Moving(pictures, bar)
