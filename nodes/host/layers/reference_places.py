"""Where a model takes references to lie, and which tokens of them it reads: ComfyUI's `post_input` patches.

A model that was trained with one reference knows one place for it. Under routing nobody but its own person sees a
reference, so every person's may have that place. A token that is taken out leaves the places of the others alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

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


class KeptTokens:
    """A `post_input` patch of ComfyUI's, which takes tokens of references out; it comes after EachFirst."""

    def __init__(self, spans: Sequence[Span], kept: Sequence[Tensor | None]) -> None:
        """spans: of the model's whole sequence; kept: [N] bool of each of the last references, None for all of one."""
        references = [span.length for span in spans if span.kind == REFERENCE]
        users = [None] * (len(references) - len(kept))
        masks = [
            torch.ones(length, dtype=torch.bool) if own is None else own
            for length, own in zip(references, [*users, *kept], strict=True)
        ]
        self._picture = sum(span.length for span in spans if span.kind == PICTURE)
        self._total = self._picture + sum(references)
        self._index = torch.cat([torch.ones(self._picture, dtype=torch.bool), *masks]).nonzero().flatten()
        self._left = [int(mask.sum()) for mask in masks]

    @torch.compiler.disable
    def __call__(self, inputs: dict) -> dict:
        """With what is kept alone; the same where the sequence is another than expected.

        Where a cache holds the references, the picture alone is there already, and places of everything.
        """
        ids, img = inputs["img_ids"], inputs["img"]
        if ids is None or ids.shape[1] != self._total or img.shape[1] not in (self._total, self._picture):
            return inputs
        index = self._index = self._index.to(ids.device)
        inputs["transformer_options"]["reference_image_num_tokens"] = list(self._left)  # this call's own, for the cache
        whole = img.shape[1] == self._total
        return {**inputs, "img_ids": ids.index_select(1, index), "img": img.index_select(1, index) if whole else img}
