"""What a report of Score Cast says in one line, and what boards draw over the result because of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...attention.recipes.cast import Cast


def verdict(report: Mapping[str, Any]) -> str:
    """One line: who is in the right place, and how like themselves. Over several pictures it is their mean."""
    pictures = report["images"]
    if len(pictures) == 1:
        members = pictures[0]["members"]
        right = sum(bool(one["right_place"]) for one in members.values())
        each = ", ".join(f"{name} {_state(pictures[0], name)}" for name in members)
        return f"{right} of {len(members)} in the right place. {each}."
    each = ", ".join(
        f"{name} {sum(one['members'][name]['own'] for one in pictures) / len(pictures):.2f}"
        for name in pictures[0]["members"]
    )
    return f"{len(pictures)} pictures: {report['right_place']:.0%} in the right place. {each}."


def shown_on_boards(
    report: Mapping[str, Any], cast: Cast, size: Sequence[int], files: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """For each picture its file and its members: name, region, likeness, whether in the right place, and the face.

    cast  : the members of the report, in its order
    size  : rows and columns of the pictures
    files : of the pictures, as the host names them to the editor
    A face is [x0, y0, x1, y1] in fractions of the picture, None where none was found.
    """
    return [
        {"picture": dict(file), "members": _members(picture, cast, size)}
        for picture, file in zip(report["images"], files, strict=True)
    ]


def _members(picture: Mapping[str, Any], cast: Cast, size: Sequence[int]) -> list[dict[str, Any]]:
    rows, columns = size
    boxes = {face["name"]: face["bbox"] for face in picture["faces"] if face["name"] is not None}
    members = []
    for member, (name, figures) in zip(cast, picture["members"].items(), strict=True):
        box = boxes.get(name)
        face = box and [round(at / side, 5) for at, side in zip(box, (columns, rows) * 2, strict=True)]
        state = {"own": figures["own"], "right_place": bool(figures["right_place"]), "face": face}
        members.append({"name": name, "region": member.region.name, **state})
    return members


def _state(picture: Mapping[str, Any], name: str) -> str:
    if name in picture["missing"]:
        return "missing"
    own = picture["members"][name]
    return f"{own['own']:.2f}" if own["right_place"] else f"{own['own']:.2f}, in the wrong place"
