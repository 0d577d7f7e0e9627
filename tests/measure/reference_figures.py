"""MultiSim written slowly from its formula (InstantFamily, arXiv 2404.19427, equation 11), in plain floats."""

import math


def cosine(one, other):
    """S(x, y) of two embeddings."""
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(math.fsum(a * a for a in one)) / math.sqrt(math.fsum(b * b for b in other))


def multi_sim(people, drawn):
    """(S(A, A') + S(B, B')) / 2 + (1 - S(A', B')) for two; means over people and over pairs for more.

    people, drawn : embeddings of A, B, ... and of A', B', ... in the same order; None for who was not drawn
    """
    first = 0.0
    for person, face in zip(people, drawn, strict=True):
        if face is not None:
            first += cosine(person, face)
    first /= len(people)
    pairs = []
    for i in range(len(drawn)):
        for j in range(i + 1, len(drawn)):
            missing = drawn[i] is None or drawn[j] is None
            pairs.append(1.0 if missing else cosine(drawn[i], drawn[j]))
    return first + (1 - sum(pairs) / len(pairs))
