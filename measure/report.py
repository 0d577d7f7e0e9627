"""Scores as plain data for JSON: figures, boxes and names; never an embedding."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .figures import Figures, mean_figures


def report(
    figures: Sequence[Figures],
    boxes: Sequence[np.ndarray],
    confidences: Sequence[Sequence[float]],
    names: Sequence[str],
    recogniser: str,
    left_out: Sequence[str] = (),
) -> dict:
    """Everything a reader or a program wants to know about some pictures of one cast.

    boxes       : per picture [F, 4] xyxy pixels
    confidences : per picture the detector's score of each face
    names       : R names of the members, all different (see distinct)
    recogniser  : which recogniser the similarities are of
    left_out    : what was not measured, and what that takes
    """
    pictures = [
        picture_report(one, found, confidence, names)
        for one, found, confidence in zip(figures, boxes, confidences, strict=True)
    ]
    result = {"images": pictures, **rounded(mean_figures(figures)), "recogniser": recogniser}
    return {**result, "left_out": list(left_out)} if left_out else result


def picture_report(figures: Figures, boxes: np.ndarray, confidences: Sequence[float], names: Sequence[str]) -> dict:
    """One picture: its faces, in the order they were found, its figures, and those of each member."""
    score = figures.score
    member_of = {int(face): member for member, face in enumerate(score.matched) if face >= 0}
    faces = []
    for index, (box, confidence) in enumerate(zip(boxes, confidences, strict=True)):
        member = member_of.get(index)
        faces.append(
            {
                "bbox": [round(float(edge), 1) for edge in box],
                "name": None if member is None else names[member],
                "similarity": None if member is None else round(float(score.own[member]), 4),
                "score": round(float(confidence), 4),
                "similarities": {n: round(float(s), 4) for n, s in zip(names, score.similarity[index], strict=True)},
                "right_place": bool(score.placed[index]),
            }
        )
    return {
        "faces": faces,
        "missing": [name for name, face in zip(names, score.matched, strict=True) if face < 0],
        **rounded(figures.whole),
        "count": score.count,
        "expected": score.expected,
        "members": {name: rounded(_of(figures, member)) for member, name in enumerate(names)},
    }


def as_text(result: dict) -> str:
    """A report as JSON for people: indented, but each list of numbers on one line."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    # No string of JSON holds a line break, so what spans lines is never part of a name.
    return re.sub(r"\[\n[-\d.,\s]+\]", lambda found: f"[{' '.join(found[0][1:-1].split())}]", text)


def distinct(names: Sequence[str]) -> list[str]:
    """The same names, later ones of equals numbered: Ada, Ada (2)."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {key: None if value is None else round(value, 4) for key, value in figures.items()}


def _of(figures: Figures, member: int) -> dict[str, float | None]:
    """The figures of one member."""
    values = {name: float(values[member]) for name, values in figures.members.items()}
    return {name: None if math.isnan(value) else value for name, value in values.items()}
