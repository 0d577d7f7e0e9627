"""One region of a Draw Regions text, checked field by field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ...attention.regions.feathering import feathered
from ...attention.regions.region import SHAPES, Region
from .painted_mask import decode_mask

LONGEST_NAME = 64
NUMBERS = {  # lowest and highest value, and the default
    "x": (-4.0, 4.0, None),
    "y": (-4.0, 4.0, None),
    "width": (1e-4, 8.0, None),
    "height": (1e-4, 8.0, None),
    "rotation": (-360.0, 360.0, 0.0),
    "order": (-1000, 1000, 0),
}
FEATHER = (0.0, 0.25, 0.0)
LEAST_FEATHER = 1e-3  # narrower than any layer's cell: not worth turning an outline into a mask
COLOUR = re.compile("#[0-9a-fA-F]{6}")
EXAMPLE = '{"version": 2, "regions": [{"name": "Ada", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85}]}'


class RegionTextError(ValueError):
    """The text of a Draw Regions node is not a list of regions; the message names the region at fault."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Troupe, Draw Regions: {problem}")


def read_region(entry: Any, where: str, aspect: float) -> Region:
    """A region, soft if it has a feather. `where` names it in messages. Raises RegionTextError."""
    if not isinstance(entry, Mapping):
        raise RegionTextError(f"{where} is {shown(entry)}, it should be a dictionary as in {EXAMPLE}")
    name = _name(entry.get("name"), where)
    where = f"{where} ('{name}')"
    shape = entry.get("shape", "box")
    if shape not in SHAPES:
        raise RegionTextError(f"the shape of {where} is {shown(shape)}, it can be {', '.join(SHAPES)}.")
    numbers = {key: _number(entry, key, where, limits) for key, limits in NUMBERS.items()}
    feather = _number(entry, "feather", where, FEATHER)
    _check_looks(entry, where)
    mask = _mask(entry, where) if shape == "mask" else None
    region = Region(name=name, shape=shape, mask=mask, **numbers)
    if region.x >= 1 or region.y >= 1 or region.x + region.width <= 0 or region.y + region.height <= 0:
        raise RegionTextError(f"{where} lies outside of the picture, which spans 0 to 1 both ways. Move it inside.")
    return feathered([region], feather, aspect)[0] if feather >= LEAST_FEATHER else region


def _check_looks(entry: Mapping, where: str) -> None:
    """What only the canvas uses has to make sense as well, so that both read the same texts."""
    colour, locked = entry.get("colour"), entry.get("locked", False)
    if colour is not None and not (isinstance(colour, str) and COLOUR.fullmatch(colour)):
        raise RegionTextError(f'the colour of {where} is {shown(colour)}, it should be like "#d8437f".')
    if not isinstance(locked, bool):
        raise RegionTextError(f"'locked' of {where} is {shown(locked)}, it should be true or false.")


def _mask(entry: Mapping, where: str) -> Tensor:
    text = entry.get("mask")
    if not isinstance(text, str):
        raise RegionTextError(f"{where} has the shape \"mask\", but its 'mask' is {shown(text)} and not a PNG file.")
    if entry.get("rotation"):
        raise RegionTextError(f"{where} is painted and has a rotation; a painting cannot be turned. Set it to 0.")
    try:
        return decode_mask(text)
    except ValueError as error:
        raise RegionTextError(f"the mask of {where} {error}.") from error


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RegionTextError(f"{where} has the name {shown(value)}, it needs a text, for instance 'Ada'.")
    name = value.strip()
    if len(name) > LONGEST_NAME:
        raise RegionTextError(f"the name of {where} has {len(name)} characters, at most {LONGEST_NAME} are possible.")
    if not name.isprintable() or any(sign in name for sign in "<>"):
        raise RegionTextError(f"the name of {where} is {shown(name)}. Leave out < and > and line breaks.")
    return name


def _number(entry: Mapping, key: str, where: str, limits: tuple) -> float:
    low, high, default = limits
    value = entry.get(key, default)
    if value is None:
        raise RegionTextError(f"{where} has no '{key}'. It should look like {EXAMPLE}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RegionTextError(f"'{key}' of {where} is {shown(value)}, it should be a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise RegionTextError(f"'{key}' of {where} is not a finite number. Use a number from {low} to {high}.")
    if not low <= value <= high:
        raise RegionTextError(f"'{key}' of {where} is {shown(value)}, it should be from {low} to {high}.")
    if key == "order" and value != int(value):
        raise RegionTextError(f"'order' of {where} is {value}, it should be a whole number.")
    return int(value) if key == "order" else float(value)


def shown(value: Any) -> str:
    """A value as a message can show it: as JSON, short, and on one line."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a dictionary"
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
