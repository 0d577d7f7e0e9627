"""The text of the Draw Regions node: regions as JSON, version 2, one region a line.

{"version": 2, "regions": [{"name": "Ada", "shape": "box", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85,
                            "rotation": 0, "order": 0, "feather": 0, "colour": "#d8437f", "locked": false}, ...]}
Lengths are fractions of the picture; `feather` is one of its shorter side. The shape "mask" has a PNG in base64 under
"mask", stretched over its box. All but name, x, y, width and height may be left out; keys not named here are left
alone. Version 1 had no masks, feathers, colours and locks. `web/regions/codec.mjs` reads and writes the same text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...attention.regions.region import Region
from .painted_mask import encode_mask
from .region_fields import EXAMPLE, NUMBERS, RegionTextError, read_region, shown

VERSION = 2
MOST_REGIONS = 64
LONGEST_TEXT = 1_000_000  # all regions painted, each at its largest
NEW_IN_VERSION_2 = ("feather", "colour", "locked", "mask")


def encode_regions(regions: Sequence[Region]) -> str:
    """The text of regions, one region a line. Raises ValueError for a mask that is too large for it."""
    lines = [json.dumps(_entry(region), ensure_ascii=False) for region in regions]
    return f'{{"version": {VERSION}, "regions": [\n' + ",\n".join(lines) + "\n]}"


def _entry(region: Region) -> dict[str, Any]:
    entry = {key: getattr(region, key) for key in ("name", "shape", *NUMBERS)}
    return entry if region.mask is None else {**entry, "mask": encode_mask(region.mask)}


def decode_regions(text: str, aspect: float = 1.0) -> tuple[Region, ...]:
    """The regions of a text; those with a feather become soft masks of the whole picture.

    aspect : width of the picture over its height; a feather is equally wide both ways as it is seen
    Raises RegionTextError with one sentence for anything that is not such a text.
    """
    entries = _entries(_parse(text))
    regions = tuple(read_region(entry, f"region {number}", aspect) for number, entry in enumerate(entries, 1))
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
    if isinstance(version, bool) or version not in (1, VERSION):
        raise RegionTextError(
            f"the text is of version {shown(version)}, and this Troupe reads versions 1 to {VERSION}. Update Troupe."
        )
    if len(value["regions"]) > MOST_REGIONS:
        raise RegionTextError(f"there are {len(value['regions'])} regions, at most {MOST_REGIONS} are possible.")
    return value["regions"] if version == VERSION else [_from_version_1(entry) for entry in value["regions"]]


def _from_version_1(entry: Any) -> Any:
    """Keys that mean something only since version 2 meant nothing before, whatever they hold."""
    if not isinstance(entry, Mapping):
        return entry
    return {key: value for key, value in entry.items() if key not in NEW_IN_VERSION_2}
