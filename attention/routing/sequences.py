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


def reference_spans(
    sizes: Sequence[Grid], people: Sequence[frozenset[int]], kept: Sequence[int | None] = ()
) -> list[Span]:
    """The references'.

    sizes  : [R] rows and columns of tokens
    people : of the last of them, as these were put behind the user's own, which are everybody's
    kept   : how many tokens of each of those are left, None for all of them; or empty
    """
    first = len(sizes) - len(people)
    whose = [EVERYBODY] * first + list(people)
    left = [None] * first + list(kept or [None] * len(people))
    return [
        Span(REFERENCE, height * width if count is None else count, own)
        for (height, width), own, count in zip(sizes, whose, left, strict=True)
    ]


def joint_sequence(text: Sequence[Span], picture: Grid, references: Sequence[Span]) -> list[Span]:
    """FLUX.1, Kontext, FLUX.2, Qwen-Image and its edit models: text, picture, references."""
    return [*text, Span(PICTURE, picture[0] * picture[1]), *references]


def filled(spans: Sequence[Span], multiple: int, rest: Span) -> list[Span]:
    """Spans and, behind them, as many tokens of the kind and people of `rest` as make up a multiple of a number."""
    extra = -sum(span.length for span in spans) % multiple
    return [*spans, rest._replace(length=extra)] if extra else list(spans)


def zimage_sequences(
    text: Sequence[Span],
    picture: Grid,
    references: Sequence[Span],
    contexts: Sequence[int],
    visions: Sequence[int] | None,
    multiple: int,
) -> tuple[list[Span], list[Span], list[Span]]:
    """Z-Image: what its layers read of text, of features of pictures, and of references with the picture behind them.

    Everything is filled up to a multiple. With references each has a text before the main one, or as many filling
    tokens where it has none, and in Omni models features of a vision encoder, or filling tokens.

    contexts   : tokens of the texts of references, the user's
    visions    : tokens of the features of references, the user's; None in models without
    """
    main = filled(text, multiple, Span(TEXT, 0))
    shown = [*filled([Span(PICTURE, picture[0] * picture[1])], multiple, Span(TEXT, 0))]
    if not references:
        return main, [], shown
    before, seen, kept = [], [], []
    for number, reference in enumerate(references):
        own = reference.people
        if number < len(contexts):
            before += filled([Span(TEXT, contexts[number])], multiple, Span(TEXT, 0))
        else:
            before.append(Span(TEXT, multiple, own))
        if visions is not None:
            length = visions[number] if number < len(visions) else multiple
            seen += filled([Span(REFERENCE, length, own)], multiple, Span(REFERENCE, 0, own))
        kept += filled([reference], multiple, Span(REFERENCE, 0, own))
    behind = [
        span for left in contexts[len(references) :] for span in filled([Span(TEXT, left)], multiple, Span(TEXT, 0))
    ]
    if visions is not None:
        seen.append(Span(REFERENCE, multiple))  # the picture's own, which is not there yet
    return [*before, *main, *behind], seen, [*kept, *shown]
