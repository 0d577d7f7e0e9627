"""The best pictures of a batch by one of their scores, and their latents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ...measure.figures import FIGURES
from ...measure.ranking import best

NODE = "Troupe, Pick Best"


@dataclass(frozen=True, eq=False)
class Choice:
    """Which pictures of a batch are kept, best first, and their values; a sentence about them."""

    kept: list[int]
    values: list[float | None]
    report: str


def choose(text: str, pictures: int, by: str, keep: int) -> Choice:
    """The best of `pictures` pictures by the figure `by` of Score Cast's JSON `text`.

    Equal pictures stay in the order of the batch, so the earlier one is kept; those without the figure come last.
    Raises ValueError for a text that is no such JSON, for another number of pictures, and for a figure that none has.
    """
    entries = entries_of(text)
    if len(entries) != pictures:
        raise ValueError(
            f"{NODE}: 'scores' are of {len(entries)} picture{'s' * (len(entries) != 1)}, and there are {pictures} "
            "images. Connect the images that Score Cast scored, and its scores."
        )
    values = [entry.get(by) for entry in entries]
    if all(value is None for value in values):
        why = [line for line in _left_out(text) if by in line]
        raise ValueError(
            f"{NODE}: no picture has the figure '{by}' ({FIGURES[by][0]}). "
            f"{'Score Cast says: ' + why[0] if why else 'Choose another one, such as overall.'}"
        )
    kept = best(values, keep, smallest=FIGURES[by][1])
    found = any(entry.get("count") for entry in entries)
    names = ", ".join(f"{index + 1} ({_shown(values[index])})" for index in kept)
    report = f"Kept {len(kept)} of {pictures} by {by}: picture {names}."
    report += "" if found else " No face was found on any of them, so they are in the order of the batch."
    return Choice(kept, [values[index] for index in kept], report)


def entries_of(text: str) -> list[Mapping[str, Any]]:
    """One entry for each picture in Score Cast's JSON. Raises ValueError for any other text."""
    try:
        entries = json.loads(text)["images"]
    except (ValueError, TypeError, KeyError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "own" in entry for entry in entries):
        raise ValueError(f"Troupe: these are no scores: '{text[:60]}'. Connect the output 'scores' of Score Cast.")
    return entries


def latents_at(latents: Mapping[str, Any], kept: Sequence[int], pictures: int) -> dict[str, Any]:
    """A LATENT of the kept pictures alone; masks and batch indices follow. `latents` is not changed.

    Raises ValueError when there is not one latent for each picture.
    """
    samples = latents["samples"]
    if len(samples) != pictures:
        raise ValueError(
            f"{NODE}: there are {len(samples)} latents and {pictures} images. Connect the latents that the images were "
            "decoded from."
        )
    chosen = {**latents, "samples": samples[list(kept)]}
    mask, order = latents.get("noise_mask"), latents.get("batch_index")
    if isinstance(mask, Tensor) and len(mask) == pictures:
        chosen["noise_mask"] = mask[list(kept)]
    chosen["batch_index"] = [order[index] if order else index for index in kept]
    return chosen


def _left_out(text: str) -> list[str]:
    return [line for line in json.loads(text).get("left_out", ()) if isinstance(line, str)]


def _shown(value: float | None) -> str:
    return "no value" if value is None else f"{value:.2f}"
