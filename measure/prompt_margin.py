"""Whether everybody wears and does what their own prompt says, and not what a neighbour's says."""

from __future__ import annotations

import numpy as np


def prompt_margins(similarity: np.ndarray) -> np.ndarray:
    """How much nearer each person is to their own prompt than to the others', [P].

    similarity : [P, P], cosine of the picture of person i (their part of it) with the prompt of person j, by a model
                 that embeds pictures and text alike (CLIP, arXiv 2103.00020)
    returns the diagonal minus the mean of the rest of the row: 0 where clothes and colours are mixed evenly, negative
    where a person wears the neighbour's. Raises ValueError with fewer than two people: there is nobody to mix with.

    In the manner of MultiID's IDBench, of which we know no formula: local CLIP-T against one's own minus against the
    others' prompts.
    """
    people = len(similarity)
    if similarity.shape != (people, people) or people < 2:
        raise ValueError(f"Margins need a square of at least two people and prompts, got {list(similarity.shape)}.")
    own = np.diagonal(similarity)
    return own - (similarity.sum(axis=1) - own) / (people - 1)
