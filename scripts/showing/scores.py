"""Read the JSON that the score node puts out."""

from __future__ import annotations

import json

from ..bootstrap.errors import Refusal
from .contact_sheet import Found


def read_scores(text: str) -> list[dict]:
    """The scores, one entry per picture. Raises Refusal when the text is not what the score node writes."""
    try:
        scores = json.loads(text)
    except ValueError as error:
        raise Refusal(f"The score node put out something that is no JSON ({error}): {text[:120]!r}") from None
    scores = scores if isinstance(scores, list) else scores.get("images", [scores])
    if not all(isinstance(entry, dict) and "faces" in entry for entry in scores):
        raise Refusal(f"The score node put out scores without faces: {text[:120]!r}")
    return scores


def found_faces(entry: dict) -> list[Found]:
    """The faces of one picture, from left to right."""
    faces = [
        Found(tuple(face["bbox"]), face.get("name"), float(face.get("similarity") or 0), face.get("right_place"))
        for face in entry["faces"]
    ]
    return sorted(faces, key=lambda face: face.bbox[0] + face.bbox[2])


def summary(entry: dict) -> str:
    """One line on a picture."""
    parts = [
        f"{words} {entry[key]:.2f}"
        for key, words in (
            ("own", "like themselves"),
            ("other", "like the others"),
            ("right_place", "in the right place"),
        )
        if isinstance(entry.get(key), (int, float))
    ]
    return "   ·   ".join([*parts, f"{len(entry['faces'])} found"])
