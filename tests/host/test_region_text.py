"""The text of Draw Regions: what it means, and one sentence for everything it cannot mean.

The texts and what they mean are in tests/fixtures/region_values, which tests/web reads as well.
"""

import base64
import json
import struct
import zlib
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions.feathering import feathered
from pack.attention.regions.region import Region, rasterise
from pack.nodes.regions.painted_mask import BadMask, encode_mask
from pack.nodes.regions.region_fields import RegionTextError
from pack.nodes.regions.region_nodes import TWO_SIDES
from pack.nodes.regions.region_value import decode_regions, encode_regions

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "region_values"
GOOD = json.loads((FIXTURES / "good.json").read_text(encoding="utf-8"))
BROKEN = json.loads((FIXTURES / "broken.json").read_text(encoding="utf-8"))
ADA = {"name": "Ada", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}


def text(*regions, version=2):
    return json.dumps({"version": version, "regions": list(regions)})


def text_of(case):
    """The text of a fixture: as it is, repeated, or a value as JSON."""
    if "value" in case:
        return json.dumps(case["value"])
    return case["text"] * case.get("repeat", 1) + case.get("then", "") * case.get("repeat", 1)


def pixels(rows):
    return torch.tensor([[float(sign) for sign in row] for row in rows])


def meaning(region):
    """A region as a fixture describes it."""
    return {key: value for key, value in vars(region).items() if key != "mask"}


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["says"])
def test_a_text_means_these_regions(case):
    regions = decode_regions(text_of(case))

    seen_by_the_canvas_alone = ("mask", "colour", "locked")
    assert [meaning(region) for region in regions] == [
        {key: value for key, value in wanted.items() if key not in seen_by_the_canvas_alone}
        for wanted in case["regions"]
    ]
    for region, wanted in zip(regions, case["regions"], strict=True):
        assert (region.mask is None) == ("mask" not in wanted)
        if region.mask is not None:
            assert torch.equal(region.mask, pixels(wanted["mask"]))


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["says"])
def test_encoding_and_decoding_gives_the_same_regions(case):
    regions = decode_regions(text_of(case))
    again = decode_regions(encode_regions(regions))

    assert [meaning(region) for region in again] == [meaning(region) for region in regions]
    assert torch.equal(rasterise(again, 16, 24), rasterise(regions, 16, 24))


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["error"][:40])
def test_a_broken_text_is_one_clear_sentence(case):
    with pytest.raises(RegionTextError) as caught:
        decode_regions(text_of(case))

    message = str(caught.value)
    assert any(part in message for part in case["error"].split("|"))
    assert message.startswith("Troupe, Draw Regions: ")
    assert len(message) < 400
    assert message.isprintable()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(
            Region,
            name=st.text("abcÄ林 &'\"/", min_size=1, max_size=8).map(str.strip).filter(bool),
            shape=st.sampled_from(["box", "ellipse"]),
            x=st.floats(-0.5, 0.9),
            y=st.floats(-0.5, 0.9),
            width=st.floats(0.6, 2),
            height=st.floats(0.6, 2),
            rotation=st.floats(-360, 360),
            order=st.integers(-5, 5),
        ),
        max_size=5,
        unique_by=lambda region: region.name,
    )
)
def test_any_regions_survive_encoding_and_decoding(regions):
    assert [vars(region) for region in decode_regions(encode_regions(regions))] == [vars(r) for r in regions]


def test_the_nodes_default_is_two_boxes_side_by_side():
    left, right = decode_regions(TWO_SIDES)

    assert (left.name, right.name) == ("left", "right")
    assert left.x + left.width <= right.x


def test_a_feather_blurs_a_region_equally_wide_both_ways():
    (soft,) = decode_regions(text({**ADA, "feather": 0.05}), aspect=2.0)
    (sharp,) = decode_regions(text(ADA), aspect=2.0)

    assert soft.shape == "mask"
    assert torch.equal(soft.mask, feathered([sharp], 0.05, 2.0)[0].mask)
    mask = rasterise([soft], 100, 200)[0]
    assert mask[40, 10:30].tolist() == pytest.approx(
        mask[10:30, 50].tolist(), abs=0.02
    )  # across its left and upper edges


def test_a_mask_that_is_too_large_for_a_text_is_refused():
    with pytest.raises(BadMask, match="300 x 4 pixels, at most 256"):
        encode_mask(torch.zeros(4, 300))
    noise = torch.rand(256, 256, generator=torch.Generator().manual_seed(0))
    with pytest.raises(BadMask, match="bytes as PNG, at most 8192"):
        encode_mask(noise)


def png(width, height):
    """A PNG of 1 bit whose header says these sizes, in base64; its pixels are few."""
    parts = (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(64)))
    chunks = [struct.pack(">I", len(body)) + name + body for name, body in (*parts, (b"IEND", b""))]
    whole = b"\x89PNG\r\n\x1a\n" + b"".join(chunk + struct.pack(">I", zlib.crc32(chunk[4:])) for chunk in chunks)
    return base64.b64encode(whole).decode()


@pytest.mark.parametrize(
    "size", [(2**31, 2**31), (2**31 - 1, 1), (1, 2**31 - 1), (2**32 - 1, 2**32 - 1), (20000, 20000), (257, 8), (0, 8)]
)
def test_a_mask_of_any_size_that_cannot_be_is_one_sentence(size):
    entry = ADA | {"shape": "mask", "mask": png(*size)}

    with pytest.raises(RegionTextError, match=r"Draw Regions: the mask of region 1 \('Ada'\) is "):
        decode_regions(text(entry))


def test_half_a_character_in_a_name_is_one_sentence():
    with pytest.raises(RegionTextError, match="the name of region 1 is") as raised:
        decode_regions(text(ADA | {"name": "Ada \ud83d"}))
    str(raised.value).encode()
