"""Changes to one region of a list by its name: another place, size, angle, name, depth or place in the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .region import Region

DEPTHS = ("keep", "to the front", "one forward", "one back", "to the back")


@dataclass(frozen=True)
class Edit:
    """What is changed.

    rename           : the new name; empty keeps the old one
    right, down      : how far the region moves, in parts of the picture
    wider, taller    : factors of its size, about its centre
    turn             : degrees clockwise
    depth            : one of DEPTHS, among all regions
    position         : its new place in the list, from 1; 0 keeps it
    """

    rename: str = ""
    right: float = 0.0
    down: float = 0.0
    wider: float = 1.0
    taller: float = 1.0
    turn: float = 0.0
    depth: str = "keep"
    position: int = 0


def edited(regions: Sequence[Region], name: str, edit: Edit) -> tuple[Region, ...]:
    """The list with one region changed; the others keep everything but, after a change in depth, the order's numbers.

    Raises ValueError when no region has that name, when another one has the new name, or when the region would leave
    the picture.
    """
    index = index_of(regions, name)
    new_name = edit.rename.strip() or regions[index].name
    if any(other.name == new_name for number, other in enumerate(regions) if number != index):
        raise ValueError(f"there is a region '{new_name}' already. Choose another name, or rename that one first.")
    changed = list(regions)
    changed[index] = replace(_moved(regions[index], edit), name=new_name)
    if edit.depth != "keep":
        changed = [replace(r, order=rank) for r, rank in zip(changed, _ranks(changed, index, edit.depth), strict=True)]
    if edit.position:
        changed.insert(min(edit.position, len(changed)) - 1, changed.pop(index))
    return tuple(changed)


def index_of(regions: Sequence[Region], name: str) -> int:
    """Which region has a name. Raises ValueError, naming those that there are."""
    names = [region.name for region in regions]
    if name.strip() not in names:
        listed = ", ".join(f"'{other}'" for other in names) or "none"
        raise ValueError(f"there is no region '{name.strip()}'. There are: {listed}.")
    return names.index(name.strip())


def _moved(region: Region, edit: Edit) -> Region:
    if region.shape == "mask" and edit.turn % 360:
        raise ValueError(f"region '{region.name}' is painted and cannot be turned. Leave the turn at 0.")
    width, height = region.width * edit.wider, region.height * edit.taller
    x = region.x + (region.width - width) / 2 + edit.right
    y = region.y + (region.height - height) / 2 + edit.down
    if x >= 1 or y >= 1 or x + width <= 0 or y + height <= 0:
        raise ValueError(f"region '{region.name}' would lie outside of the picture. Move it less far.")
    turned = (region.rotation + edit.turn + 180) % 360 - 180
    return replace(region, x=x, y=y, width=width, height=height, rotation=turned)


def _ranks(regions: Sequence[Region], index: int, depth: str) -> list[int]:
    """New orders, 0 for the nearest: all regions one behind the other, the changed one in its new place."""
    if depth not in DEPTHS:
        raise ValueError(f"there is no depth '{depth}'; choose one of {', '.join(DEPTHS)}.")
    nearest_first = sorted(range(len(regions)), key=lambda other: regions[other].order)
    place = nearest_first.index(index)
    last = len(regions) - 1
    new = {"to the front": 0, "one forward": max(place - 1, 0), "one back": min(place + 1, last), "to the back": last}
    nearest_first.insert(new[depth], nearest_first.pop(place))
    return [nearest_first.index(other) for other in range(len(regions))]
