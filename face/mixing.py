"""A person between people: all their photos, with weights that a mean of directions respects (see directions.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .identity import Identity
from .identity_names import checked_name
from .motion import Reconfiguration, joined


def mix_identities(name: str, identities: Sequence[Identity], weights: Sequence[float]) -> Identity:
    """One identity from several: all their photos, each person's weight shared out among that person's photos.

    Only recognisers that described all of them are kept. Raises ValueError without a name, for weights that are
    negative or all 0, and for people without a recogniser in common, saying who was described by which.
    """
    name = checked_name(name, "The mixed identity")
    if any(not np.isfinite(weight) or weight < 0 for weight in weights) or sum(weights) <= 0:
        raise ValueError(f"Weights are 0 or more, and one of them above 0; got {', '.join(f'{w:g}' for w in weights)}.")
    pairs = [(person, weight) for person, weight in zip(identities, weights, strict=True) if weight > 0]
    common = set.intersection(*(set(person.embeddings) for person, _ in pairs))
    if not common:
        known = "; ".join(f"'{p.name}' by {', '.join(sorted(p.embeddings)) or 'none'}" for p, _ in pairs)
        raise ValueError(
            f"These people have no recogniser in common, so they cannot be mixed: {known}. Extract all of them with "
            "one face engine."
        )
    with_photos = all(len(person.photos) == len(person.crops) for person, _ in pairs)
    return Identity(
        name=name,
        embeddings={key: np.concatenate([person.embeddings[key] for person, _ in pairs]) for key in sorted(common)},
        crops=np.concatenate([person.crops for person, _ in pairs]),
        keypoints=np.concatenate([person.keypoints for person, _ in pairs]),
        boxes=np.concatenate([person.boxes for person, _ in pairs]),
        photos=tuple(photo for person, _ in pairs for photo in person.photos) if with_photos else (),
        weights=tuple(weight * share for person, weight in pairs for share in shares_of(person)),
        motion=_motion([person for person, _ in pairs]),
    )


def _motion(people: Sequence[Identity]) -> Reconfiguration | None:
    try:
        return joined([person.motion for person in people], [len(person.crops) for person in people])
    except ValueError as error:
        raise ValueError(f"These people cannot be mixed: {error}.") from error


def shares_of(identity: Identity) -> np.ndarray:
    """How much each photo of an identity counts, summing to 1."""
    weights = np.asarray(identity.weights or np.ones(len(identity.crops)), np.float64)
    return weights / weights.sum()
