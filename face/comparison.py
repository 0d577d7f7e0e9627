"""How alike two identities are, and what that says."""

from __future__ import annotations

from .engine import FaceEngine
from .identity import Identity, described_by, normed_embedding
from .strangers import verdict


def compare(first: Identity, second: Identity, engine: FaceEngine | None = None) -> tuple[float, str]:
    """The cosine of two people's directions, and a sentence about it.

    engine : whose recogniser compares; without one, the first by name of those that have described both
    Raises ValueError for people without a face, and without an engine where no recogniser has described both.
    """
    for person in (first, second):
        if not len(person.crops) and not person.embeddings:
            raise ValueError(f"Troupe, Compare Identities: '{person.name}' has no face to compare.")
    if engine is not None:
        first, second = described_by(first, engine), described_by(second, engine)
        recogniser = engine.recogniser
    else:
        common = sorted(set(first.embeddings) & set(second.embeddings))
        if not common:
            raise ValueError(
                f"Troupe, Compare Identities: no recogniser has described both '{first.name}' "
                f"({', '.join(first.embeddings) or 'none'}) and '{second.name}' "
                f"({', '.join(second.embeddings) or 'none'}). Connect a face engine."
            )
        recogniser = common[0]
    similarity = float(normed_embedding(first, recogniser) @ normed_embedding(second, recogniser))
    return similarity, f"{first.name} and {second.name}: {verdict(similarity)} (similarity {similarity:.2f})."
