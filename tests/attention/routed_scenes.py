"""Small joint sequences of several people, for tests of routing, as the pack and as the slow reference say them."""

import torch
from pack.attention.routing.token_map import EVERYBODY, PICTURE, REFERENCE, TEXT, Span, token_map

SCENES = {
    "two people": [{0}, {0}, {1}, {1}, set()],
    "an overlap": [{0}, {0, 1}, {1}, set()],
    "three, one of them in another": [{0}, {0, 1, 2}, {1, 2}, {2}, set(), {0}],
    "everybody everywhere": [{0, 1}] * 3,
    "nobody in the picture": [set()] * 3,
    "no background": [{0}, {1}],
    "an empty region": [{0}, {0}, set()],
}
"""Name -> whose each cell of the picture is; in the last, the second person has no cell."""


def scene(cells, people=2, text=2, prompt=1, photo=2, users=1):
    """(whose [S], TokenMap): text, everybody's prompts, picture, a user's photo, everybody's photos."""
    whose = [("text", frozenset())] * text
    spans = [Span(TEXT, text)]
    for member in range(people):
        whose += [("text", frozenset([member]))] * prompt
        spans.append(Span(TEXT, prompt, frozenset([member])))
    whose += [("picture", frozenset(cell)) for cell in cells]
    spans.append(Span(PICTURE, len(cells)))
    for own, length in [(EVERYBODY, users), *((frozenset([member]), photo) for member in range(people))]:
        whose += [("reference", own)] * length
        spans.append(Span(REFERENCE, length, own))
    owned = torch.tensor([[member in cell for member in range(people)] for cell in cells])
    return whose, token_map(spans, owned)


def people_in(cells) -> int:
    """How many people a scene is about, two at least."""
    return max(2, 1 + max((max(cell, default=-1) for cell in cells), default=-1))


def qkv(tokens, heads=2, width=4, shared=1, queries=None, seed=0):
    """q [1, heads, Q, width], k and v [1, heads / shared, S, width]."""
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(1, heads, queries or tokens, width, generator=generator)
    k, v = (torch.randn(1, heads // shared, tokens, width, generator=generator) for _ in range(2))
    return q, k, v
