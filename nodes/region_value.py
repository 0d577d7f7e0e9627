"""The text of the Draw Regions node: regions as JSON, version 1, checked field by field.

{"version": 1, "regions": [{"name": "Ada", "shape": "box", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85,
                            "rotation": 0, "order": 0}, ...]}
Lengths are fractions of the picture. Shape, rotation and order may be left out; keys not named here are left alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..attention.regions import Region

VERSION = 1
SHAPES = ("box", "ellipse")
MOST_REGIONS = 64
LONGEST_TEXT = 200_000
LONGEST_NAME = 64
NUMBERS = {  # lowest and highest value, and the default
    "x": (-4.0, 4.0, None),
    "y": (-4.0, 4.0, None),
    "width": (1e-4, 8.0, None),
    "height": (1e-4, 8.0, None),
    "rotation": (-360.0, 360.0, 0.0),
    "order": (-1000, 1000, 0),
}
EXAMPLE = '{"version": 1, "regions": [{"name": "Ada", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85}]}'


class RegionTextError(ValueError):
    """The text of a Draw Regions node is not a list of regions; the message names the region at fault."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Troupe, Draw Regions: {problem}")


def encode_regions(regions: Sequence[Region]) -> str:
    """The text of box and ellipse regions, one region a line."""
    keys = ("name", "shape", *NUMBERS)
    lines = [json.dumps({key: getattr(region, key) for key in keys}, ensure_ascii=False) for region in regions]
    return f'{{"version": {VERSION}, "regions": [\n' + ",\n".join(lines) + "\n]}"


def decode_regions(text: str) -> tuple[Region, ...]:
    """The regions of a text. Raises RegionTextError with one sentence for anything that is not such a text."""
    entries = _entries(_parse(text))
    regions = tuple(_region(entry, f"region {number}") for number, entry in enumerate(entries, 1))
    seen: dict[str, int] = {}
    for number, region in enumerate(regions, 1):
        if region.name in seen:
            raise RegionTextError(
                f"regions {seen[region.name]} and {number} are both named '{region.name}'. "
                "Give every region a name of its own, because members are bound to regions by name."
            )
        seen[region.name] = number
    return regions


def _parse(text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise RegionTextError(f"the text has {len(text)} characters, at most {LONGEST_TEXT} are read.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise RegionTextError(f"the text is nested too deeply. It should look like {EXAMPLE}") from error
    except ValueError as error:
        if isinstance(error, RegionTextError):
            raise
        raise RegionTextError(f"the text is not JSON ({error}). It should look like {EXAMPLE}") from error


def _refuse_constant(name: str) -> None:
    raise RegionTextError(
        f"the text holds {name}, which is not a number. Use fractions of the picture between 0 and 1."
    )


def _entries(value: Any) -> list:
    if not isinstance(value, Mapping) or not isinstance(value.get("regions"), list):
        raise RegionTextError(f"the text holds no list of regions. It should look like {EXAMPLE}")
    version = value.get("version")
    if version != VERSION or isinstance(version, bool):
        raise RegionTextError(
            f"the text is of version {_shown(version)}, and this Troupe reads version {VERSION}. Update Troupe."
        )
    if len(value["regions"]) > MOST_REGIONS:
        raise RegionTextError(f"there are {len(value['regions'])} regions, at most {MOST_REGIONS} are possible.")
    return value["regions"]


def _region(entry: Any, where: str) -> Region:
    if not isinstance(entry, Mapping):
        raise RegionTextError(f"{where} is {_shown(entry)}, it should be a dictionary as in {EXAMPLE}")
    name = _name(entry.get("name"), where)
    where = f"{where} ('{name}')"
    shape = entry.get("shape", "box")
    if shape not in SHAPES:
        raise RegionTextError(f"the shape of {where} is {_shown(shape)}, it can be {' or '.join(SHAPES)}.")
    region = Region(name=name, shape=shape, **{key: _number(entry, key, where) for key in NUMBERS})
    if region.x >= 1 or region.y >= 1 or region.x + region.width <= 0 or region.y + region.height <= 0:
        raise RegionTextError(f"{where} lies outside of the picture, which spans 0 to 1 both ways. Move it inside.")
    return region


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RegionTextError(f"{where} has the name {_shown(value)}, it needs a text, for instance 'Ada'.")
    name = value.strip()
    if len(name) > LONGEST_NAME:
        raise RegionTextError(f"the name of {where} has {len(name)} characters, at most {LONGEST_NAME} are possible.")
    if not name.isprintable() or any(sign in name for sign in "<>"):
        raise RegionTextError(f"the name of {where} is {_shown(name)}. Leave out < and > and line breaks.")
    return name


def _number(entry: Mapping, key: str, where: str) -> float:
    low, high, default = NUMBERS[key]
    value = entry.get(key, default)
    if value is None:
        raise RegionTextError(f"{where} has no '{key}'. It should look like {EXAMPLE}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RegionTextError(f"'{key}' of {where} is {_shown(value)}, it should be a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise RegionTextError(f"'{key}' of {where} is not a finite number. Use a number from {low} to {high}.")
    if not low <= value <= high:
        raise RegionTextError(f"'{key}' of {where} is {_shown(value)}, it should be from {low} to {high}.")
    if key == "order" and value != int(value):
        raise RegionTextError(f"'order' of {where} is {value}, it should be a whole number.")
    return int(value) if key == "order" else float(value)


def _shown(value: Any) -> str:
    """A value as a message can show it: short, and on one line."""
    text = ascii(value) if isinstance(value, str) else type(value).__name__ if _is_long(value) else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _is_long(value: Any) -> bool:
    return isinstance(value, (list, dict)) or (isinstance(value, int) and abs(value) >= 10**15)
