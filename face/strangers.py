"""Whether faces show one person: what a similarity says in words, and which photos of a set show someone else.

The two limits suit ArcFace-format recognisers (arXiv 1801.07698): published ones seldom put two people above 0.25 or
two photos of one person below it; above 0.45 strangers are rare enough to speak of one person.
"""

from __future__ import annotations

import numpy as np

from .identity import Identity, unit

DIFFERENT, SAME = 0.25, 0.45


def verdict(similarity: float) -> str:
    """A cosine of two faces, in plain words."""
    if similarity >= SAME:
        return "the same person"
    return "different people" if similarity < DIFFERENT else "perhaps the same person; the faces alone do not tell"


def groups(embeddings: np.ndarray) -> list[list[int]]:
    """Which photos show one person, by number, the largest group first: [P, D] raw embeddings of P photos.

    Two photos belong together when their similarity reaches DIFFERENT, or when a chain of such photos joins them.
    """
    directions = unit(embeddings)
    alike = directions @ directions.T >= DIFFERENT
    left, found = set(range(len(embeddings))), []
    while left:
        group, reached = set(), {min(left)}
        while reached - group:
            group |= reached
            reached = {int(index) for index in np.flatnonzero(alike[sorted(group)].any(axis=0))}
        found.append(sorted(group))
        left -= group
    return sorted(found, key=len, reverse=True)


def stranger_warning(identity: Identity, recogniser: str) -> str:
    """A sentence that names the photos of an identity that show someone else; empty where they agree."""
    rows = identity.embeddings[recogniser]
    if len(rows) < 2:
        return ""
    found = groups(rows)
    if len(found) == 1:
        return ""
    if len(found[0]) == len(found[1]):
        return (
            f"The photos of '{identity.name}' do not agree on one person: {_listed(found)} are unlike each other. "
            "Look at the preview: another face may have been taken than you meant."
        )
    others = sorted(index for group in found[1:] for index in group)
    directions = unit(rows)
    nearest = max(float(directions[index] @ directions[other]) for index in others for other in found[0])
    which = f"Photo {others[0] + 1}" if len(others) == 1 else f"Photos {_numbers(others)}"
    return (
        f"{which} of '{identity.name}' seem{'s' if len(others) == 1 else ''} to show someone else (similarity to the "
        f"others at most {nearest:.2f}). Look at the preview, and select another face or leave the photo out."
    )


def _listed(found: list[list[int]]) -> str:
    return " and ".join(f"photo{'s' if len(group) > 1 else ''} {_numbers(group)}" for group in found)


def _numbers(indices: list[int]) -> str:
    return ", ".join(str(index + 1) for index in indices)
