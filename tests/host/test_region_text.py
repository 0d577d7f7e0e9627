"""The text of Draw Regions: what it means, and one sentence for everything it cannot mean."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions import Region
from pack.nodes.region_nodes import TWO_SIDES
from pack.nodes.region_value import MOST_REGIONS, RegionTextError, decode_regions, encode_regions

ADA = {"name": "Ada", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}


def text(*regions, version=1):
    return json.dumps({"version": version, "regions": list(regions)})


def test_what_is_left_out_has_a_default():
    (region,) = decode_regions(text(ADA))

    assert vars(region) == vars(Region("Ada", "box", 0.1, 0.2, 0.3, 0.4, 0.0, 0, None))


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
def test_encoding_and_decoding_gives_the_same_regions(regions):
    assert [vars(region) for region in decode_regions(encode_regions(regions))] == [vars(r) for r in regions]


def test_unknown_keys_are_left_alone():
    assert decode_regions(text({**ADA, "colour": "#ff0000"}))[0].name == "Ada"


def test_the_nodes_default_is_two_boxes_side_by_side():
    left, right = decode_regions(TWO_SIDES)

    assert (left.name, right.name) == ("left", "right")
    assert left.x + left.width <= right.x


def test_no_regions_are_legal():
    assert decode_regions('{"version": 1, "regions": []}') == ()


BAD = {
    "": "not JSON",
    "{": "not JSON",
    "hello": "not JSON",
    "null": "no list of regions",
    "[]": "no list of regions",
    "3": "no list of regions",
    '"text"': "no list of regions",
    '{"version": 1}': "no list of regions",
    '{"version": 1, "regions": {}}': "no list of regions",
    '{"version": 1, "regions": null}': "no list of regions",
    '{"regions": []}': "version None",
    text(version=2): "version 2, and this Troupe reads version 1. Update",
    text(version="1"): "version '1'",
    text(version=True): "version True",
    text(3): "region 1 is 3",
    text(ADA, None): "region 2 is None",
    text([ADA]): "region 1 is list",
    text({**ADA, "name": None}): "region 1 has the name None",
    text({**ADA, "name": "  "}): "region 1 has the name '  '",
    text({**ADA, "name": 7}): "region 1 has the name 7",
    text({**ADA, "name": "x" * 65}): "has 65 characters",
    text({**ADA, "name": "<img src=x onerror=alert(1)>"}): "Leave out < and >",
    text({**ADA, "name": "two\nlines"}): "line breaks",
    text({**ADA, "name": "nul\x00"}): "line breaks",
    text(ADA, {**ADA, "name": "Bob"}, {**ADA, "name": " Ada"}): "regions 1 and 3 are both named 'Ada'",
    text({**ADA, "shape": "star"}): r"shape of region 1 \('Ada'\) is 'star'",
    text({**ADA, "shape": ["box"]}): "shape of region 1",
    text({**ADA, "shape": "mask"}): "box or ellipse",
    text({"name": "Ada", "x": 0, "y": 0, "width": 1}): r"region 1 \('Ada'\) has no 'height'",
    text({**ADA, "x": "0.1"}): "'x' of region 1 .* is '0.1', it should be a number",
    text({**ADA, "x": True}): "'x' of region 1 .* is True",
    text({**ADA, "x": [0.1]}): "'x' of region 1 .* is list",
    text({**ADA, "x": {"a": 1}}): "'x' of region 1 .* is dict",
    text({**ADA, "y": None}): "has no 'y'",
    text({**ADA, "width": 0}): "'width' of region 1 .* is 0, it should be from",
    text({**ADA, "width": -0.3}): "'width' of region 1",
    text({**ADA, "height": 1e30}): "'height' of region 1",
    text({**ADA, "x": 10**400}): "'x' of region 1",
    text({**ADA, "rotation": 400}): "'rotation' of region 1",
    text({**ADA, "order": 0.5}): "'order' of region 1 .* whole number",
    text({**ADA, "x": 2.0}): "lies outside of the picture",
    text({**ADA, "x": -0.3}): "lies outside of the picture",
    text(ADA).replace("0.1", "NaN"): "holds NaN",
    text(ADA).replace("0.1", "-Infinity"): "holds -Infinity",
    text(ADA).replace("0.1", "1e999"): "'x' of region 1 .* not a finite number",
    text(ADA).replace("0.1", "1" * 5000): "not JSON",
    "[" * 100_000 + "]" * 100_000: "nested too deeply",
    text(*[{**ADA, "name": str(n)} for n in range(MOST_REGIONS + 1)]): "65 regions, at most 64",
    " " * 300_000: "300000 characters",
}


@pytest.mark.parametrize("bad", BAD, ids=[f"{number}: {why[:30]}" for number, why in enumerate(BAD.values())])
def test_a_bad_text_is_one_clear_sentence(bad):
    with pytest.raises(RegionTextError, match=BAD[bad]) as caught:
        decode_regions(bad)

    message = str(caught.value)
    assert message.startswith("Troupe, Draw Regions: ")
    assert len(message) < 400
    assert message.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*ADA, "regions", "version"]), inner),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON | st.builds(lambda entry: {"version": 1, "regions": [entry]}, JSON))
def test_any_json_gives_regions_or_that_error(value):
    try:
        regions = decode_regions(json.dumps(value))
    except RegionTextError:
        return
    assert all(isinstance(region, Region) for region in regions)
