"""Rows of what routing costs in models of one attention: a layer and a whole block of FLUX.1's width, routed and not.

People stand in strips over a strip of background, each with a photo and a prompt, `closed`. A block is ComfyUI's own
double block with random weights, called as the model calls it, its attention answered as in a run. Beside the ratio
stand the work by count and, up to 6.6k tokens, the same with a mask of S x S in place of groups. In bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ....attention.routing.policies import CLOSED, RoutedGroup, routed_groups, work
from ....attention.routing.routed_attention import routed_attention
from ....attention.routing.sequences import joint_sequence, reference_spans, text_spans
from ....attention.routing.token_map import TEXT, TokenMap, token_map
from ...figures.samples import Samples
from ...figures.verdict import Figure, Row
from .counts import most
from .rigs import Workshop, device_name, has_device_clock
from .timing import clock, median_figure

HEADS, WIDTH = 24, 128  # of FLUX.1's attention
AXES, THETA, MLP = [16, 56, 56], 10000, 4.0
SIZES = {"1.6k": (32, 16, 128), "6.6k": (64, 32, 512), "12.8k": (96, 32, 512)}
"""With two people about so many tokens: rows and columns of the picture and of a photo in tokens, tokens of text."""
PEOPLE = (1, 2, 4, 8)
UNROUTED, FOUR = 1.0, 0.6  # bounds from 6.6k tokens on: for two and more people, and for four of the attention alone
DENSE = ("1.6k", "6.6k")
ROUNDS, MASKED = 6, 2  # fewer pairs than six say nothing at 95 %
DTYPE = torch.bfloat16

Ways = dict[str, Callable[[], Any]]
"""What is timed by name: "plain", "routed" and, where it is not too large, "masked"."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A sequence, and how it is grouped.

    dense : [S, S] what is added to the logits to the same end, or None
    """

    tokens: TokenMap
    groups: Sequence[RoutedGroup]
    dense: Tensor | None

    def random(self, *shape: int, seed: int, device: torch.device) -> Tensor:
        """Numbers of a normal distribution."""
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device, DTYPE)


def scene(size: str, people: int, device: torch.device) -> Scene:
    """People in strips over a strip of background, a photo and a prompt each, `closed`."""
    tokens = layout(*SIZES[size], people)
    groups, dense = routed_groups(tokens, CLOSED), None
    if size in DENSE:
        dense = torch.full((len(tokens), len(tokens)), -torch.inf, dtype=DTYPE)
        for group in groups:
            seen = torch.arange(len(tokens)) if group.columns is None else group.columns
            dense[group.rows[:, None], seen[None]] = 0.0
        dense = dense.to(device)
    return Scene(tokens, [group.to(device) for group in groups], dense)


def layout(side: int, photo: int, text: int, people: int) -> TokenMap:
    """Whose each token is."""
    owned = torch.zeros(side, side, people, dtype=torch.bool)
    for member in range(people):
        owned[side * 10 // 64 :, side * member // people : side * (member + 1) // people, member] = True
    references = reference_spans([(photo, photo)] * people, [frozenset([member]) for member in range(people)])
    spans = joint_sequence(text_spans(text, [text // 16] * people), (side, side), references)
    return token_map(spans, owned.flatten(0, 1))


def attention_ways(made: Scene, device: torch.device) -> Ways:
    """One attention."""
    qkv = [made.random(1, HEADS, len(made.tokens), WIDTH, seed=seed, device=device) for seed in range(3)]
    ways = {"plain": lambda: _attend(*qkv, None), "routed": lambda: routed_attention(_attend, *qkv, made.groups)}
    return ways if made.dense is None else {**ways, "masked": lambda: _attend(*qkv, made.dense)}


def block_ways(made: Scene, device: torch.device) -> Ways:
    """One double block of ComfyUI's; the host has to be importable."""
    import comfy.ops
    from comfy.ldm.flux.layers import DoubleStreamBlock, EmbedND

    from ....nodes.host.layers.in_force import Terms, in_force
    from ....nodes.host.layers.joint_attention import PLACE, Counts, JointAttention, RoutedStage, RowPart, answer

    total = len(made.tokens)
    text = sum(int((made.tokens.of == n).sum()) for n, one in enumerate(made.tokens.classes) if one.kind == TEXT)
    common = {"dtype": DTYPE, "device": device, "operations": comfy.ops.disable_weight_init}
    block = DoubleStreamBlock(HEADS * WIDTH, HEADS, MLP, qkv_bias=True, **common)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_(std=0.02)
    wide = {"seed": 5, "device": device}
    inputs = {
        "img": made.random(1, total - text, HEADS * WIDTH, **wide), "txt": made.random(1, text, HEADS * WIDTH, **wide),
        "vec": made.random(1, HEADS * WIDTH, **wide),
        "pe": EmbedND(HEADS * WIDTH, THETA, AXES)(torch.arange(total, device=device)[None, :, None].expand(1, -1, 3)),
    }  # fmt: skip
    answered = JointAttention([RoutedStage(total, (RowPart(None, lambda queries: made.groups),))], 1, Counts())

    def called(**more: Any) -> Tensor:
        with torch.inference_mode():  # the block adds in place, so it gets tensors of its own
            return block(**{**inputs, "img": inputs["img"].clone(), "txt": inputs["txt"].clone()}, **more)[0]

    def routed() -> Tensor:
        with in_force(Terms(joint=answered)):
            return called(transformer_options={PLACE: answer})

    ways = {"plain": called, "routed": routed}
    return ways if made.dense is None else {**ways, "masked": lambda: called(attn_mask=made.dense)}


KINDS = {f"attention of {HEADS} x {WIDTH}": attention_ways, f"double block of {HEADS * WIDTH}": block_ways}


def speed_rows(workshop: Workshop, samples: Samples, quick: bool, status: Any) -> Iterator[Row]:
    """Routed against unrouted in turns, beside the attention's work by count."""
    device = torch.device("cuda" if has_device_clock() else "cpu")
    small = quick and not has_device_clock()
    for size in list(SIZES)[:1] if small else SIZES:
        for people in PEOPLE[:2] if small else PEOPLE:
            where = f"{size} tokens and more on {device_name()}, {people} people, closed"
            for kind, ways in KINDS.items():
                yield from _rows(f"{kind}, {where}", (size, people, device), ways, workshop, samples, status)

            def counted(size: str = size, people: int = people) -> Figure:
                tokens = layout(*SIZES[size], people)
                return most([work(routed_groups(tokens, CLOSED), len(tokens))] * 3)

            yield Row(f"{next(iter(KINDS))}, {where}: of its work by count", "x", counted)


def _rows(name: str, of: tuple, ways: Any, workshop: Workshop, samples: Samples, status: Any) -> Iterator[Row]:
    size, people, device = of

    def timed() -> dict[str, list[float]]:
        def measure() -> dict[str, list[float]]:
            status(name)
            if ways is block_ways:
                workshop.import_host_once()
            return in_turns(ways(scene(*of), device), clock(device))

        return samples.get(name, measure)

    def ratio(over: str = "routed") -> Figure:
        found = timed()
        return median_figure(np.divide(found[over], found["plain"][: len(found[over])]))

    four = people == 4 and ways is attention_ways
    bound = None if size == "1.6k" or people == 1 else FOUR if four else UNROUTED
    yield Row(f"{name}: against unrouted", "x", ratio, bound)
    if size in DENSE:
        yield Row(f"{name}: with a mask of S x S instead, against unrouted", "x", lambda: ratio("masked"))


def in_turns(ways: Ways, seconds: Any) -> dict[str, list[float]]:
    """Seconds of each way, in turns, the order turned around from round to round; with a mask twice."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    ways["routed"]()  # warms up
    for number in range(ROUNDS):
        chosen = [way for way in ways if way != "masked" or number < MASKED]
        for way in chosen if number % 2 == 0 else chosen[::-1]:
            found[way].append(seconds(ways[way]))
    return found


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)
