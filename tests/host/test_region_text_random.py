"""Two thousand texts of Draw Regions that nobody would write: each is accepted, or refused with a reason, and soon."""

import base64
import json
import random
import string
import time

import torch
from pack.attention.regions.region import rasterise
from pack.nodes.regions.region_fields import RegionTextError
from pack.nodes.regions.region_value import decode_regions

ADA = {"name": "Ada", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}


def text_with(*regions, version=2):
    return json.dumps({"version": version, "regions": list(regions)})


SCALARS = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        0.5,
        float("nan"),
        float("inf"),
        -float("inf"),
        1e308,
        -1e308,
        1e-320,
        10**400,
        2**63,
    ),
    *("", "Ada", "<script>alert(1)</script>", "\x00", "\ud800", "😀" * 40, "x" * 5000, "NaN", "../..", "#ff0000"),
]
KEYS = ("name", "shape", "x", "y", "width", "height", "rotation", "order", "feather", "colour", "locked", "mask")


def random_value(rng, depth=3):
    """Scalars, and lists and dictionaries of them."""
    kind = rng.random()
    if depth == 0 or kind < 0.6:
        return rng.choice(SCALARS)
    if kind < 0.8:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): random_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def random_entry(rng):
    """A region with up to two fields replaced by anything."""
    entry = {**ADA, "name": rng.choice(string.ascii_letters) + str(rng.randrange(10**6))}
    if rng.random() < 0.3:
        entry |= {"shape": "mask", "mask": base64.b64encode(rng.randbytes(rng.choice((0, 30, 9000)))).decode()}
    for _ in range(rng.choice((0, 0, 1, 2))):
        entry[rng.choice(KEYS)] = random_value(rng)
    return entry


def random_text(rng):
    """Something between a good text and none at all."""
    kind = rng.random()
    if kind < 0.1:
        return json.dumps(random_value(rng))
    if kind < 0.12:
        return text_with(*[{**ADA, "name": str(number)} for number in range(10_000)])
    if kind < 0.14:
        deep = rng.choice((50, 900, 20_000))
        return text_with({**ADA, "note": 0}).replace("0}", "[" * deep + "]" * deep + "}")
    whole = text_with(*[random_entry(rng) for _ in range(rng.randrange(1, 4))], version=rng.choice((1, 2, 2, 2, 2, 3)))
    if kind < 0.3:
        place = rng.randrange(len(whole))
        return (
            whole[:place] + rng.choice(("", '"', "}", "\x00", "1e999", "NaN", "😀")) + whole[place + rng.randrange(9) :]
        )
    return whole


def decoded(made, aspect):
    """The regions, or None and the reason."""
    try:
        return decode_regions(made, aspect), ""
    except RegionTextError as error:
        return None, str(error)


def test_two_thousand_random_texts_are_regions_or_that_error_and_soon():
    rng = random.Random(9)
    accepted = refused = 0
    for _ in range(2000):
        made = random_text(rng)
        start = time.process_time()
        regions, reason = decoded(made, rng.choice((0.25, 1.0, 16 / 9)))
        if regions is None:
            refused += 1
            assert len(reason) < 400
            assert reason.isprintable()
        else:
            accepted += 1
            assert torch.isfinite(rasterise(regions, 8, 8)).all()
        assert time.process_time() - start < 2
    assert accepted > 200
    assert refused > 200
