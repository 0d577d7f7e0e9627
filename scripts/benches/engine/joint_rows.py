"""Rows of people in models of one attention: what of a person is found elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ....attention.routing.policies import POLICIES
from ...figures.verdict import Figure, Row
from .counts import most
from .rigs import Workshop

FAMILIES = ("FLUX.1", "FLUX.2", "Qwen", "Z-Image")
STEPS = 4


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
