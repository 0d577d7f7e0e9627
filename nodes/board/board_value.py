"""The text of the Cast Board: that of Draw Regions, with a person in each region.

{"version": 2, "board": 1, "regions": [{"name": "Ada", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85, "person":
    {"photos": [{"file": "troupe/<hash>.jpg", "name": "ada.jpg", "face": [0.5, 0.3]}], "prompt": "in a red coat",
     "negative": "hat", "strength": 1, "start": 0, "end": 1, "whole": false}}, ...]}
Regions are read by region_value.py and stand in the order of the cast, front to back. Of a person, everything may be
left out. `file` is a picture as Load Image names it, `name` what the user calls it, `face` a point of the photo near
the face that is meant, `whole` takes the whole photo for the face. `web/board/people.mjs` reads and writes the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...attention.regions.region import Region
from ..regions.region_fields import RegionTextError, shown
from ..regions.region_value import decode_regions

VERSION = 1
MOST_PEOPLE = 8
MOST_PHOTOS = 8
LONGEST_PROMPT = 4000
NUMBERS = {"strength": (0.0, 3.0, 1.0), "start": (0.0, 1.0, 0.0), "end": (0.0, 1.0, 1.0)}  # low, high, default


class BoardTextError(ValueError):
    """The text of a Cast Board does not hold people in regions; the message names the person at fault."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Troupe, Cast Board: {problem}")


@dataclass(frozen=True)
class Photo:
    """A picture file of ComfyUI's folders, what the user calls it, and a point near the face, in fractions."""

    file: str
    name: str = field(repr=False)
    face: tuple[float, float] | None = None


@dataclass(frozen=True)
class Person:
    """Who stands in a region: nobody yet, where there is no photo; nobody in particular, where there are words."""

    region: Region
    photos: tuple[Photo, ...] = ()
    prompt: str = field(default="", repr=False)
    negative: str = field(default="", repr=False)
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    whole: bool = False

    @property
    def name(self) -> str:
        """A person and their region have one name."""
        return self.region.name


def decode_board(text: str, aspect: float = 1.0) -> tuple[Person, ...]:
    """The people of a text, front to back. Raises BoardTextError with one sentence.

    aspect : width of the picture over its height
    """
    try:
        regions = decode_regions(text, aspect)
    except RegionTextError as error:
        raise BoardTextError(str(error).removeprefix("Troupe, Draw Regions: ")) from error
    value = json.loads(text)
    version = value.get("board", VERSION)
    if isinstance(version, bool) or version != VERSION:
        raise BoardTextError(
            f"the board is of version {shown(version)}, and this Troupe reads version {VERSION}. Update Troupe."
        )
    if len(regions) > MOST_PEOPLE:
        raise BoardTextError(
            f"there are {len(regions)} people, at most {MOST_PEOPLE} are possible. Take some off the board."
        )
    return tuple(
        _person(region, entry.get("person", {})) for region, entry in zip(regions, value["regions"], strict=True)
    )


def _person(region: Region, entry: Any) -> Person:
    where = f"'{region.name}'"
    if not isinstance(entry, Mapping):
        raise BoardTextError(f"the person {where} is {shown(entry)}, it should be a dictionary.")
    words = [entry.get(key, "") for key in ("prompt", "negative")]
    whole, photos = entry.get("whole", False), entry.get("photos", [])
    if not all(isinstance(text, str) and len(text) <= LONGEST_PROMPT for text in words):
        raise BoardTextError(f"the words of {where} should be a text of at most {LONGEST_PROMPT} characters.")
    if not isinstance(whole, bool):
        raise BoardTextError(f"'whole' of {where} is {shown(whole)}, it should be true or false.")
    if not isinstance(photos, list) or len(photos) > MOST_PHOTOS:
        raise BoardTextError(f"the photos of {where} should be a list of at most {MOST_PHOTOS}.")
    numbers = {key: _number(entry.get(key), key, where, limits) for key, limits in NUMBERS.items()}
    prompt, negative = (text.strip() for text in words)
    taken = tuple(_photo(photo, where) for photo in photos)
    return Person(region, taken, prompt, negative, whole=whole, **numbers)


def _number(value: Any, key: str, where: str, limits: tuple[float, float, float]) -> float:
    low, high, default = limits
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BoardTextError(f"'{key}' of {where} is {shown(value)}, it should be a number from {low:g} to {high:g}.")
    if not low <= value <= high:
        raise BoardTextError(f"'{key}' of {where} is {value:g}, it should be from {low:g} to {high:g}.")
    return float(value)


def _photo(entry: Any, where: str) -> Photo:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("file"), str) or not entry["file"]:
        raise BoardTextError(f"a photo of {where} is {shown(entry)}, it should name its file. Drop the photo again.")
    face = entry.get("face")
    if face is not None:
        if not isinstance(face, list) or len(face) != 2:
            raise BoardTextError(
                f"the face on a photo of {where} is {shown(face)}, it should be a point like [0.5, 0.3]."
            )
        face = tuple(_number(at, "face", where, (0.0, 1.0, 0.5)) for at in face)
    name = entry.get("name")
    return Photo(entry["file"], name if isinstance(name, str) and name else entry["file"].rsplit("/", 1)[-1], face)
