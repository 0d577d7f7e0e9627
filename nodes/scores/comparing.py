"""Lists of pictures, labels and scores, as they come from runs beside each other, to one labelled picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...attention.recipes.cast import Cast
from ...measure.grid import Cell, draw_grid, in_rows
from ...measure.report import distinct
from .picking import entries_of
from .score_plots import caption

NODE = "Troupe, Compare Grid"


def grid_of(
    batches: Sequence[Sequence[np.ndarray]],
    labels: Sequence[str],
    scores: Sequence[str] = (),
    cast: Cast = (),
    columns: int = 0,
    side: int = 384,
    title: str = "",
) -> np.ndarray:
    """All pictures on one sheet, uint8 [H, W, 3].

    batches : what each run gave, one picture or several, uint8 [h, w, 3] each
    labels  : a text for each run, or one text with a line for each run (or for each picture of a single run)
    scores  : Score Cast's JSON for each run, or nothing
    cast    : whose faces stand above the pictures
    columns : 0 for as many as suit; where runs have several pictures, each run is a row
    """
    words = labels_for(labels, batches)
    lines = captions_for(scores, sum(map(len, batches)))
    cells, place = [], 0
    for batch, names in zip(batches, words, strict=True):
        cells.append(
            [
                Cell(picture, name, lines[place + index])
                for index, (picture, name) in enumerate(zip(batch, names, strict=True))
            ]
        )
        place += len(batch)
    several = len(batches) > 1 and any(len(row) > 1 for row in cells)
    rows = cells if several else in_rows([cell for row in cells for cell in row], columns)
    return draw_grid(rows, side, title.strip(), portraits_of(cast))


def labels_for(labels: Sequence[str], batches: Sequence[Sequence]) -> list[list[str]]:
    """A label for every picture of every batch: numbers where nothing is said; a run's label stands over its first.

    Raises ValueError for labels that are neither one for each run nor, of a single run, one for each picture.
    """
    texts = list(labels)
    if len(texts) == 1:
        texts = [line.strip() for line in texts[0].splitlines() if line.strip()]
    if not texts:
        texts = [str(number + 1) for number in range(len(batches) if len(batches) > 1 else len(batches[0]))]
    if len(batches) == 1 and len(texts) == len(batches[0]):
        return [texts]
    if len(texts) != len(batches):
        pictures = len(batches) if len(batches) > 1 else len(batches[0])
        raise ValueError(
            f"{NODE}: there are {len(texts)} labels for {pictures} pictures. Write a line for each, or none at all."
        )
    return [[text, *[""] * (len(batch) - 1)] for text, batch in zip(texts, batches, strict=True)]


def captions_for(scores: Sequence[str], pictures: int) -> list[list[str]]:
    """The lines below every picture; none without scores. Raises ValueError for scores of another number of them."""
    entries = [entry for text in scores if text.strip() for entry in entries_of(text)]
    if not entries:
        return [[]] * pictures
    if len(entries) != pictures:
        raise ValueError(
            f"{NODE}: 'scores' are of {len(entries)} pictures, and there are {pictures}. Connect Score Cast to the "
            "same pictures."
        )
    return [caption(entry) for entry in entries]


def portraits_of(cast: Cast) -> list[Cell]:
    """The first photo of each member's face, or of a subject, with their name."""
    people = [member.identity for member in cast]
    names = distinct([person.name for person in people])
    cells = []
    for person, name in zip(people, names, strict=True):
        pictures = person.crops if len(person.crops) else person.photos
        if len(pictures):
            cells.append(Cell(pictures[0], name))
    return cells
