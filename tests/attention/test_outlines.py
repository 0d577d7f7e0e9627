"""Ellipses and turned boxes: how much of each cell they cover, and what that costs."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pack.attention.regions.masks import cells_of
from pack.attention.regions.outlines import BAND
from pack.attention.regions.region import Region, coverage, rasterise
from pack.attention.regions.shares import token_shares, visible_part
from pack.scripts.benches.engine.allocations import allocated_peak
from pack.tests.attention import reference_outlines as slow

SHAPES = st.tuples(
    st.sampled_from(["box", "ellipse"]),
    st.floats(-1.0, 1.0),
    st.floats(-1.0, 1.0),
    st.floats(1e-4, 2.5),
    st.floats(1e-4, 2.5),
    st.sampled_from([0.0, 30.0, 45.0, 90.0, 135.0]) | st.floats(-360, 360),
)


@settings(max_examples=60, deadline=None)
@example(("ellipse", -0.125, 0.0, 0.5, 1.0, 1.0), 1, 1, 1.0)  # the chord of what is cut off lies on the cell's edge
@example(("ellipse", -1.0, -1.0, 2.5, 2.5, 0.0), 2, 3, 1.0)
@given(SHAPES, st.integers(1, 7), st.integers(1, 7), st.sampled_from([1.0, 0.4, 3.0]))
def test_every_cell_has_the_part_that_the_outline_covers(shape, height, width, aspect):
    kind, *place, rotation = shape
    rows = torch.linspace(0, 1, height + 1, dtype=torch.float64)
    columns = torch.linspace(0, 1, width + 1, dtype=torch.float64)
    polygon = slow.outline(kind, *place, rotation, aspect)

    mask = coverage(Region("a", kind, *place, rotation), rows, columns, aspect)

    for r in range(height):
        for c in range(width):
            cell = (*rows[r : r + 2].tolist(), *columns[c : c + 2].tolist())
            assert mask[r, c].item() == pytest.approx(slow.covered(polygon, *cell), abs=2e-4)


@pytest.mark.parametrize("region", [Region("e", "ellipse", 0.1, 0.2, 0.7, 0.5, 20), Region("b", "box", rotation=30)])
def test_cells_of_unlike_sizes_have_their_parts_too(region):
    edges = torch.tensor([0.0, 0.05, 0.3, 0.31, 0.8, 1.0], dtype=torch.float64)
    polygon = slow.outline(region.shape, region.x, region.y, region.width, region.height, region.rotation, 1.5)

    mask = coverage(region, edges, edges, 1.5)

    for r in range(5):
        for c in range(5):
            cell = (*edges[r : r + 2].tolist(), *edges[c : c + 2].tolist())
            assert mask[r, c].item() == pytest.approx(slow.covered(polygon, *cell), abs=2e-4)


@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_what_lies_inside_is_exactly_one_and_what_lies_outside_exactly_zero(shape):
    mask = rasterise([Region("a", shape, 0.2, 0.25, 0.5, 0.6, 33)], 700, 900)[0]

    between = (mask > 0) & (mask < 1)
    assert between.sum() < 4 * (700 + 900)  # an outline crosses each edge of a row or column twice
    assert mask[350, 400] == 1
    assert mask[0, 0] == mask[-1, -1] == 0


def test_bands_do_not_show():
    regions = [Region("a", "ellipse", -0.1, 0.1, 0.7, 1.2, 10), Region("b", "box", 0.4, 0.3, 0.9, 0.2, 60)]
    height = 2 * BAND // 512 + 3
    whole = rasterise(regions, height, 512)

    for region, mask in zip(regions, whole, strict=True):
        rows = torch.linspace(0, 1, height + 1, dtype=torch.float64)
        columns = torch.linspace(0, 1, 513, dtype=torch.float64)
        for part in (slice(0, 100), slice(1000, 1090), slice(height - 40, height)):
            alone = coverage(region, rows[part.start : part.stop + 1], columns, 512 / height)
            torch.testing.assert_close(mask[part], alone, atol=1e-6, rtol=0)


PAINTED = torch.zeros(512, 512).index_fill_(0, torch.arange(100, 400), 1.0)


@pytest.mark.parametrize(
    "region",
    [
        Region("ellipse", "ellipse", 0.1, 0.1, 0.8, 0.7),
        Region("turned", "box", 0.1, 0.2, 0.8, 0.6, 25),
        Region("box", "box", 0.1, 0.2, 0.8, 0.6),
        Region("painted", "mask", 0.0, 0.0, 1.0, 1.0, mask=PAINTED),
    ],
    ids=lambda region: region.name,
)
def test_a_region_at_2048_pixels_takes_no_more_than_bands_beside_its_mask(region):
    took = allocated_peak(lambda: rasterise([region], 2048, 2048))

    assert took - 2048 * 2048 * 4 < 50e6


@pytest.fixture
def narrow_bands(monkeypatch):
    """Bands of so few cells that small pictures have as many as large ones."""
    monkeypatch.setattr("pack.attention.regions.outlines.BAND", 1 << 16)


def test_many_regions_take_their_masks_and_bands_beside_them(narrow_bands):
    regions = [Region(str(n), "ellipse", 0.01 * n, 0.1, 0.3, 0.8, n) for n in range(8)]
    took = allocated_peak(lambda: rasterise(regions, 256, 256))

    assert took - 8 * 256 * 256 * 4 < 1e6


def test_overlaps_of_many_people_take_their_shares_and_bands_beside_them(narrow_bands):
    regions = [Region(str(n), "ellipse", 0.01 * n, 0.1, 0.3, 0.8, n) for n in range(8)]
    points = 8 * 4 * 64 * 4 * 64 * 4  # bytes of every point of everybody in float32
    took = allocated_peak(lambda: token_shares(regions, cells_of((64, 64), (64, 64)), "priority"))

    assert took < points


def test_overlaps_are_the_same_whatever_the_bands():
    regions = [Region("a", "ellipse", 0.1, 0.1, 0.6, 0.8), Region("b", rotation=30, x=0.3, y=0.3, width=0.5)]
    grid = (2048, 64)  # more rows than one band holds
    whole = visible_part(regions, cells_of(grid, grid), "priority")
    for top in (0, 1000, 1990):
        part = visible_part(regions, cells_of((50, 64), grid, (50, 64, top, 0)), "priority")
        assert torch.equal(whole[:, top : top + 50], part)
