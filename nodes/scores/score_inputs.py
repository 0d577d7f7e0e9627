"""What Score Cast is given beside pictures and cast, read: everybody's words, and boxes that another node found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NODE = "Troupe, Score Cast"


def words_by_member(text: str, names: Sequence[str]) -> list[str]:
    """What each member wears and does, "" where nothing is said; a line for each: `NAME: words`.

    Raises ValueError for a line without a name, or with one that is not in the cast.
    """
    words = dict.fromkeys(names, "")
    for line in filter(None, (line.strip() for line in text.splitlines())):
        fitting = [name for name in names if line.startswith(name) and line[len(name) :].lstrip()[:1] == ":"]
        if not fitting:
            raise ValueError(
                f"{NODE}: in 'prompts' the line '{line}' begins with nobody's name. The members are: "
                f"{', '.join(names)}. Write a line for each: {names[0]}: red shirt, smiling"
            )
        name = max(fitting, key=len)
        words[name] = line[len(name) :].lstrip()[1:].strip()
    return [words[name] for name in names]


def boxes_by_picture(found: Any, pictures: int) -> list[np.ndarray]:
    """Boxes of people, [N, 4] xyxy pixels, for each picture, of what ComfyUI's detectors give.

    found : a box {x, y, width, height}, a list of them for the one picture, or a list of such lists; boxes with a
            "label" count where it is "person"
    Raises ValueError for lists that are not one for each picture.
    """
    if isinstance(found, Mapping):
        found = [found]
    if all(isinstance(entry, Mapping) for entry in found) and (found or pictures == 1):
        found = [found]
    if len(found) != pictures:
        raise ValueError(
            f"{NODE}: 'people' has boxes for {len(found)} picture{'s' * (len(found) != 1)}, and there are {pictures} "
            "pictures. Detect people in the same batch that is scored."
        )
    return [np.array([_edges(box) for box in boxes if _is_person(box)]).reshape(-1, 4) for boxes in found]


def _edges(box: Mapping) -> list[float]:
    return [box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]


def _is_person(box: Mapping) -> bool:
    return box.get("label", "person") == "person"
