"""Where a model takes references to lie: each member's where the first of them lies.

A model that was trained with one reference knows one place for it. Under routing nobody but its own person sees a
reference, so every person's may have that place.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ....attention.routing.token_map import PICTURE, REFERENCE, Span


class EachFirst:
    """A `post_input` patch of ComfyUI's, which moves the positions of references."""

    def __init__(self, spans: Sequence[Span], own: int) -> None:
        """spans: of the model's whole sequence; own: how many of the references, the last ones, are members'."""
        behind, first, places = [span for span in spans if span.kind in (PICTURE, REFERENCE)], 0, []
        for span in behind:
            places.append((first, span))
            first += span.length
        self._total = first
        ours = places[len(places) - own :]
        seen: dict[frozenset[int], int] = {}
        self._moves = []  # (first token, how many, first token of the place it gets)
        for start, span in ours:
            number = seen.get(span.people, 0)  # several photos of a person keep several places
            seen[span.people] = number + 1
            self._moves.append((start, span.length, ours[number][0]))

    @torch.compiler.disable
    def __call__(self, inputs: dict) -> dict:
        """With other positions; the same where the sequence is another than expected."""
        ids = inputs["img_ids"]
        if ids is None or ids.shape[1] != self._total:
            return inputs
        moved = ids.clone()
        for start, length, place in self._moves:
            moved[:, start : start + length] += ids[:, place : place + 1] - ids[:, start : start + 1]
        return {**inputs, "img_ids": moved}
