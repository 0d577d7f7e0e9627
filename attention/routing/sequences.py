"""The order of tokens in joint sequences of the model families, as numbers: lengths in, spans out."""

from __future__ import annotations

from collections.abc import Sequence

from .token_map import EVERYBODY, PICTURE, REFERENCE, TEXT, Span

Grid = tuple[int, int]


def grid_of(size: Sequence[int], patch: int) -> Grid:
    """Rows and columns of tokens of latents whose last two sides are `size`; a part of a patch is a token."""
    return -(-size[-2] // patch), -(-size[-1] // patch)


def text_spans(length: int, own: Sequence[int]) -> list[Span]:
    """The text's: the main prompt, and at its end the members' own ones, whatever was put before it to fill it up.

    length : of all of it
    own    : [M] tokens of each member's prompt; 0 for none
    """
    prompts = [Span(TEXT, tokens, frozenset([member])) for member, tokens in enumerate(own) if tokens]
    return [Span(TEXT, length - sum(own)), *prompts]


def reference_spans(sizes: Sequence[Grid], people: Sequence[frozenset[int]]) -> list[Span]:
    """The references'.

    sizes  : [R] rows and columns of tokens
    people : of the last of them, as these were put behind the user's own, which are everybody's
    """
    first = len(sizes) - len(people)
    whose = [EVERYBODY] * first + list(people)
    return [Span(REFERENCE, height * width, own) for (height, width), own in zip(sizes, whose, strict=True)]


def joint_sequence(text: Sequence[Span], picture: Grid, references: Sequence[Span]) -> list[Span]:
    """FLUX.1, Kontext, FLUX.2, Qwen-Image and its edit models: text, picture, references."""
    return [*text, Span(PICTURE, picture[0] * picture[1]), *references]
