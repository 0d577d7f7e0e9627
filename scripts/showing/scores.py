"""Read the JSON that the score node puts out: `images`, each with its `faces`, and the figures of all of them."""

from __future__ import annotations

import json

from ..bootstrap.errors import Refusal
from .contact_sheet import Found


def read_scores(text: str) -> dict:
    """The scores. Raises Refusal when the text is not what the score node writes."""
    try:
        scores = json.loads(text)
    except ValueError as error:
        raise Refusal(f"The score node put out something that is no JSON ({error}): {text[:120]!r}.") from None
    entries = scores.get("images") if isinstance(scores, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "faces" in entry for entry in entries):
        raise Refusal(f"The score node put out scores without faces: {text[:120]!r}.")
    return scores


def found_faces(entry: dict) -> list[Found]:
    """The faces of one picture, from left to right."""
    faces = [
        Found(tuple(face["bbox"]), face.get("name"), float(face.get("similarity") or 0), face.get("right_place"))
        for face in entry["faces"]
    ]
    return sorted(faces, key=lambda face: face.bbox[0] + face.bbox[2])


def summary(entry: dict) -> list[str]:
    """What there is to say on a picture, in a few words each."""
    parts = []
    if entry.get("own") is not None:
        parts.append(f"own similarity {entry['own']:.2f}")
    if entry.get("other") is not None:
        parts.append(f"to the others {entry['other']:.2f}")
    if entry.get("right_place") is not None:
        parts.append(f"{entry['right_place']:.0%} in the right place")
    faces = len(entry["faces"])
    parts.append(f"{faces} faces for {entry['expected']} people" if entry.get("expected") else f"{faces} faces")
    return parts
