"""Rows of people in models of one attention: what of a person is found elsewhere, and what routed attention costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ....attention.routing.policies import CLOSED, POLICIES, RoutedGroup, routed_groups, work
from ....attention.routing.routed_attention import routed_attention
from ....attention.routing.sequences import joint_sequence, reference_spans, text_spans
from ....attention.routing.token_map import TokenMap, token_map
from ...figures.samples import Samples
from ...figures.verdict import Figure, Row
from .counts import most
from .rigs import Workshop, device_name, has_device_clock
from .timing import clock, median_figure

FAMILIES = ("FLUX.1", "FLUX.2", "Qwen", "Z-Image")
STEPS = 4
HEADS, WIDTH = 24, 128  # of FLUX.1's attention
SIZES = {"1.6k": (32, 16, 128), "6.6k": (64, 32, 512), "12.8k": (96, 32, 512)}
"""With two people about so many tokens: rows and columns of the picture and of a photo in tokens, tokens of text."""
UNROUTED, FOUR = 1.0, 0.6  # bounds from 6.6k tokens on, for two and more people, and for four
DENSE_UP_TO = "6.6k"
ROUNDS, MASKED = 6, 2  # fewer pairs than six say nothing at 95 %


def leak_rows(workshop: Workshop, quick: bool) -> Iterator[Row]:
    """Tiny random models: one person's photo or prompt is swapped, four steps."""
    for family in FAMILIES:
        for policy in POLICIES[:-1]:

            def share(family: str = family, policy: str = policy) -> Figure:
                return most([leak_of(workshop, family, policy, 2, 1.0, True)[1]])

            yield Row(f"{family}, {policy}, 2 people: change outside the region over that inside", "", share)

        def apart(family: str = family) -> Figure:
            people = (2, 5) if quick else (2, 5, 8)
            cases = [(count, cfg, photo) for count in people for cfg in (1.0, 3.0) for photo in (True, False)]
            return most([leak_of(workshop, family, "apart", *case)[0] for case in cases])

        yield Row(f"{family}, apart: largest change outside the region, photo or prompt", "", apart, bound=0.0)


def leak_of(
    workshop: Workshop,
    family: str,
    policy: str,
    people: int,
    cfg: float,
    photo: bool,
    dtype: torch.dtype = torch.float32,
) -> tuple[float, float]:
    """(largest change outside of the last person's place, its mean over that inside), two pictures at once."""
    workshop.import_host_once()
    from .joint_models import cast_of, routed, sample, tiny

    model = tiny(family, dtype)
    patch = 1 if family == "FLUX.2" else 2
    size = (4 * patch, 2 * people * patch)
    photos, prompts = list(range(100, 100 + people)), list(range(200, 200 + people))
    (photos if photo else prompts)[-1] += 50
    casts = cast_of(people), cast_of(people, photos, prompts)
    one, other = (sample(routed(model, cast, policy), cfg=cfg, steps=STEPS, size=size, batch=2) for cast in casts)
    inside = torch.zeros(size, dtype=torch.bool)
    inside[: 3 * patch, -2 * patch :] = True
    change = (one - other).abs()
    own, rest = change[..., inside], change[..., ~inside]
    if not own.max() > 0:
        raise RuntimeError(f"{family}, {policy}: swapping a person changed nothing in their own place.")
    return rest.max().item(), (rest.mean() / own.mean()).item()


@dataclass(frozen=True, eq=False)
class JointLayer:
    """Queries, keys and values of one layer of real width, and how they are grouped.

    qkv    : [1, HEADS, S, WIDTH] each
    dense  : [S, S] what is added to the logits to the same end, or None
    """

    tokens: TokenMap
    groups: Sequence[RoutedGroup]
    qkv: tuple[Tensor, Tensor, Tensor]
    dense: Tensor | None

    def routed(self) -> Tensor:
        """The layer, group by group."""
        return routed_attention(_attend, *self.qkv, self.groups)

    def plain(self) -> Tensor:
        """The layer without a cast."""
        return _attend(*self.qkv, None)

    def masked(self) -> Tensor:
        """The same as `routed` with a mask of S x S."""
        return _attend(*self.qkv, self.dense)


def sequence(size: str, people: int, device: torch.device, dtype: torch.dtype) -> JointLayer:
    """People in strips over a strip of background, a photo and a prompt each, `closed`."""
    side, photo, text = SIZES[size]
    tokens = layout(side, photo, text, people)
    generator = torch.Generator().manual_seed(1)
    qkv = tuple(torch.randn(1, HEADS, len(tokens), WIDTH, generator=generator).to(device, dtype) for _ in range(3))
    groups = routed_groups(tokens, CLOSED)
    dense = None
    if list(SIZES).index(size) <= list(SIZES).index(DENSE_UP_TO):
        dense = torch.full((len(tokens), len(tokens)), -torch.inf)
        for group in groups:
            seen = torch.arange(len(tokens)) if group.columns is None else group.columns
            dense[group.rows[:, None], seen[None]] = 0.0
        dense = dense.to(device, dtype)
    return JointLayer(tokens, [group.to(device) for group in groups], qkv, dense)


def layout(side: int, photo: int, text: int, people: int) -> TokenMap:
    """Whose each token is."""
    owned = torch.zeros(side, side, people, dtype=torch.bool)
    for member in range(people):
        owned[side * 10 // 64 :, side * member // people : side * (member + 1) // people, member] = True
    references = reference_spans([(photo, photo)] * people, [frozenset([member]) for member in range(people)])
    spans = joint_sequence(text_spans(text, [text // 16] * people), (side, side), references)
    return token_map(spans, owned.flatten(0, 1))


def speed_rows(samples: Samples, quick: bool, status: Any) -> Iterator[Row]:
    """Routed against unrouted attention in turns, beside the work by count; no host is needed for it."""
    device = torch.device("cuda" if has_device_clock() else "cpu")
    dtype = torch.bfloat16 if has_device_clock() else torch.float32
    sizes = ("1.6k",) if quick and not has_device_clock() else ("1.6k", "6.6k") if not has_device_clock() else SIZES
    for size in sizes:
        for people in (1, 2, 4) if size != "12.8k" else (2, 8):
            name = f"attention of {HEADS} x {WIDTH}, {size} tokens and more on {device_name()}, {people} people, closed"

            def timed(name: str = name, size: str = size, people: int = people) -> dict[str, list[float]]:
                def measure() -> dict[str, list[float]]:
                    status(name)
                    made = sequence(size, people, device, dtype)
                    return in_turns(made, clock(device))

                return samples.get(name, measure)

            def ratio(timed: Any = timed, over: str = "routed") -> Figure:
                found = timed()
                return median_figure(np.divide(found[over], found["plain"][: len(found[over])]))

            def counted(size: str = size, people: int = people) -> Figure:
                tokens = layout(*SIZES[size], people)
                return most([work(routed_groups(tokens, CLOSED), len(tokens))] * 3)

            bound = None if size == "1.6k" or people == 1 else FOUR if people == 4 else UNROUTED
            yield Row(f"{name}: against unrouted", "x", ratio, bound)
            yield Row(f"{name}: of its work by count", "x", counted)
            if list(SIZES).index(size) <= list(SIZES).index(DENSE_UP_TO):

                def dense(ratio: Any = ratio) -> Figure:
                    return ratio(over="masked")

                yield Row(f"{name}: with a mask of S x S instead, against unrouted", "x", dense)


def in_turns(made: JointLayer, seconds: Any) -> dict[str, list[float]]:
    """Seconds of each way, in turns, the order turned around from round to round; with a mask twice."""
    ways = {"plain": made.plain, "routed": made.routed} | ({"masked": made.masked} if made.dense is not None else {})
    found: dict[str, list[float]] = {way: [] for way in ways}
    made.routed()  # warms up
    for number in range(ROUNDS):
        chosen = [way for way in ways if way != "masked" or number < MASKED]
        for way in chosen if number % 2 == 0 else chosen[::-1]:
            found[way].append(seconds(ways[way]))
    return found


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)
