"""What people of PuLID for FLUX.1 cost behind one block of real width: by how many they are, at the same area."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....attention.adapters.pulid_flux import PictureCrossAttention
from ....attention.adapters.spec import AdapterSpec
from ....attention.operators.packed_rows import pack_rows
from ....attention.operators.picture_rows import PictureRows, add_to_rows, in_sequence
from ...figures.samples import Samples
from ...figures.verdict import Figure, Row
from .counts import most
from .rigs import device_name, has_device_clock
from .timing import clock, median_figure

WIDTH, INNER, CROSS, TOKENS = 3072, 2048, 2048, 32  # of the published files
TEXT = 512
SIDE, ON_CPU = 64, 32  # tokens along a side of a picture of 1024 pixels, and of one of 512
PEOPLE = (2, 4, 8)
PARTS = {"equal": [1] * 8, "unequal": [8, 1, 5, 2, 7, 3, 6, 4]}
"""How people share three quarters of the picture between them."""
FLAT = 1.05  # bound on what several take, against one
ROUNDS, LEAST = 30, 6  # pairs of calls; fewer than six say nothing at 95 %


@dataclass(frozen=True, eq=False)
class PeopleBehindBlock:
    """A cross-attention with random weights and who reads what in it."""

    crossing: PictureCrossAttention
    sequence: Tensor
    picture: PictureRows
    keys: Tensor
    values: Tensor

    @torch.inference_mode()
    def __call__(self) -> Tensor:
        """The sequence with its people."""
        return add_to_rows(self.sequence, self.picture, self._answer)

    def _answer(self, rows: Tensor) -> Tensor:
        return self.crossing(rows, self.keys, self.values, self.picture.counts)


def shares(side: int, people: int, parts: str) -> Tensor:
    """[1, N, M]: strips of so many parts of the cells of the upper three quarters, cell after cell of a column."""
    widths = np.cumsum([0, *PARTS[parts][:people]]) / sum(PARTS[parts][:people])
    ends = [round(float(at) * side * (side * 3 // 4)) for at in widths]
    share = torch.zeros(side, side * 3 // 4, people)  # columns first
    for person in range(people):
        share.view(-1, people)[ends[person] : ends[person + 1], person] = 1.0
    whole = torch.zeros(side, side, people)
    whole[: side * 3 // 4] = share.transpose(0, 1)
    return whole.view(1, -1, people)


def people_rows(samples: Samples, quick: bool, status: Callable[[str], Any]) -> Iterator[Row]:
    """Several people against one over the same area, in turns; no host is needed for it."""
    side = SIDE if has_device_clock() else ON_CPU
    place = f"PuLID-FLUX behind a block of width {WIDTH}, {side * side} tokens on {device_name()}"
    for parts in PARTS:
        for people in PEOPLE:
            name = f"{place}, {people} people, {parts} regions"

            def ratio(name: str = name, parts: str = parts, people: int = people) -> Figure:
                def measure() -> dict[str, list[float]]:
                    status(name)
                    return in_turns(side, people, parts, LEAST if quick else ROUNDS)

                found = samples.get(name, measure)
                return median_figure(np.divide(found["several"], found["one"]))

            yield Row(f"{name}: against one person over the same area", "x", ratio, FLAT)


def in_turns(side: int, people: int, parts: str, rounds: int) -> dict[str, list[float]]:
    """Seconds with one person and with several, the order turned around from round to round."""
    device = torch.device("cuda" if has_device_clock() else "cpu")
    dtype = torch.bfloat16 if has_device_clock() else torch.float32
    make, seconds = partial(made, side, device=device, dtype=dtype), clock(device)
    ways = {"one": make(people=1, parts="equal"), "several": make(people=people, parts=parts)}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()  # warms up
    for number in range(rounds):
        for way in list(ways) if number % 2 == 0 else list(ways)[::-1]:
            found[way].append(seconds(ways[way]))
    return found


def made(side: int, people: int, parts: str, device: torch.device, dtype: torch.dtype) -> PeopleBehindBlock:
    """People in a sequence of text and picture, as behind a single block."""
    spec = AdapterSpec("pulid flux", 512, 0, TOKENS, CROSS, (INNER,), picture_width=WIDTH)
    torch.manual_seed(1)
    crossing = PictureCrossAttention(spec, INNER, dtype=dtype).to(device).requires_grad_(False)
    length = TEXT + side * side
    picture = in_sequence(pack_rows(shares(side, people, parts)), side * side, length, TEXT).to(device, dtype)
    sequence, keys, values = (
        torch.randn(shape, device=device, dtype=dtype)
        for shape in ((1, length, WIDTH), (people, TOKENS, INNER), (people, TOKENS, INNER))
    )
    return PeopleBehindBlock(crossing, sequence, picture, keys, values)


def counted_row(workshop: Any) -> Row:
    """What all twenty take of a row of a region, against what FLUX.1's own linear layers do."""

    def counted() -> Figure:
        workshop.import_host_once()
        return most([20 * 2 * WIDTH * INNER / linear_work()] * 3)

    return Row("PuLID-FLUX, all layers: work on a row of a region, of that of FLUX.1's linear layers", "x", counted)


def linear_work() -> int:
    """Multiplications of FLUX.1's linear layers on one token of the picture, of ComfyUI's class without weights."""
    import comfy.ops
    from comfy.ldm.flux.model import Flux

    from .joint_models import SHAPES

    sizes = {"vec_in_dim": 768, "context_in_dim": 4096, "guidance_embed": True}
    network = Flux(
        **sizes, **SHAPES["FLUX.1"], hidden_size=WIDTH, num_heads=24, depth=19, depth_single_blocks=38,
        dtype=torch.float16, device="meta", operations=comfy.ops.disable_weight_init,
    )  # fmt: skip
    layers = [*((block.img_attn, block.img_mlp) for block in network.double_blocks)]
    layers += [(block.linear1, block.linear2) for block in network.single_blocks]
    linear = (part for pair in layers for module in pair for part in module.modules())
    return sum(part.weight.numel() for part in linear if isinstance(part, torch.nn.Linear))
