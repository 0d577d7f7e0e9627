"""Region masks on the grids of layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.regions.masks import cells_of, token_masks
from pack.attention.regions.region import Region

BOX = Region("box", x=0.1, y=0.1, width=0.3, height=0.5)


def masks(regions, grid, latent=None, area=None, **options):
    return token_masks(regions, cells_of(grid, latent or grid, area), **options)


def test_a_box_takes_every_cell_it_touches():
    assert masks([Region("a", x=0.3, y=0.5, width=0.3, height=0.5)], (2, 4))[0].tolist() == [[0, 0, 0, 0], [0, 1, 1, 0]]


def test_a_box_on_the_edges_of_cells_takes_no_cell_beyond():
    assert masks([Region("a", x=0.1, width=0.2)], (1, 10))[0].tolist() == [[0, 1, 1, 0, 0, 0, 0, 0, 0, 0]]


def test_an_ellipse_takes_the_part_of_each_cell_that_it_covers():
    mask = masks([Region("a", "ellipse")], (4, 4))[0]

    assert 0 < mask[0, 0] < 0.6
    assert mask[1, 1] == 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["box", "ellipse", "turned", "dot"]),
    st.floats(0, 0.98),
    st.floats(0, 0.98),
    st.floats(0.001, 0.5),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 4),
    st.booleans(),
)
def test_no_region_vanishes_at_any_grid(shape, x, y, size, latent, level, hard):
    if shape == "dot":
        painted = torch.zeros(64, 64)
        painted[int(y * 64), int(x * 64)] = 1
        region = Region("a", "mask", mask=painted)
    else:
        rotation = 30.0 if shape == "turned" else 0.0
        region = Region("a", "ellipse" if shape == "ellipse" else "box", x, y, size, size, rotation)
    grid = tuple(-(-side // 2**level) for side in latent)

    mask = masks([region], grid, latent, hard=hard)[0]

    assert mask.shape == grid
    assert mask.isfinite().all()
    assert mask.max() >= 0.5
    assert not hard or ((mask == 0) | (mask == 1)).all()


def test_a_faint_painted_mask_stays_faint():
    assert torch.allclose(masks([Region("a", "mask", mask=torch.full((8, 8), 0.3))], (2, 2)), torch.tensor(0.3))


def test_an_empty_painted_mask_holds_nothing():
    assert torch.equal(masks([Region("a", "mask", mask=torch.zeros(8, 8))], (2, 2)), torch.zeros(1, 2, 2))


def test_hard_cells_are_those_covered_by_half():
    painted = torch.tensor([[1.0, 0.6, 0.4, 0.0]])

    assert masks([Region("a", "mask", mask=painted)], (1, 4), hard=True)[0].tolist() == [[1, 1, 0, 0]]


@pytest.mark.parametrize("latent", [(33, 125), (64, 65), (8, 9), (5, 3), (1, 7)])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_cells_of_a_halved_grid_are_the_latent_cells_that_were_merged(latent, level):
    grid = tuple(-(-side // 2**level) for side in latent)
    painted = 0.5 + 0.5 * torch.rand(latent, generator=torch.Generator().manual_seed(0))

    mask = masks([Region("a", "mask", mask=painted)], grid, latent)[0]

    step = 2**level
    last = painted[(grid[0] - 1) * step :, (grid[1] - 1) * step :]
    first = painted[:step, :step]
    assert mask[-1, -1].item() == pytest.approx(last.mean().item(), abs=1e-5)
    assert mask[0, 0].item() == pytest.approx(first.mean().item(), abs=1e-5)


def test_a_grid_that_no_halving_gives_is_stretched_over_the_picture():
    painted = torch.rand(7, 7, generator=torch.Generator().manual_seed(0))

    mask = masks([Region("a", "mask", mask=painted)], (3, 3), (7, 7))[0]

    assert mask.mean().item() == pytest.approx(painted.mean().item(), abs=1e-5)


def test_a_full_mask_is_exactly_one_on_every_grid():
    for region in (Region("a"), Region("b", "mask", mask=torch.ones(13, 7))):
        for grid in ((17, 63), (9, 32), (5, 16)):
            assert torch.equal(masks([region], grid, (33, 125))[0], torch.ones(grid))


@pytest.mark.parametrize(
    "region", [BOX, Region("e", "ellipse", x=0.2, width=0.5), Region("r", rotation=20, x=0.3, width=0.3)]
)
def test_a_crop_sees_the_part_of_the_region_that_lies_in_it(region):
    whole = masks([region], (16, 32))[0]

    assert torch.equal(masks([region], (8, 16), (16, 32), area=(8, 16, 4, 10))[0], whole[4:12, 10:26])


def test_a_crop_beside_the_region_sees_nothing_of_it():
    dot = torch.zeros(32, 32)
    dot[2, 2] = 1
    for region in (BOX, Region("e", "ellipse", width=0.3), Region("m", "mask", mask=dot)):
        assert not masks([region], (2, 2), (16, 16), area=(8, 8, 8, 8)).any()


def test_no_regions_give_no_masks():
    assert masks([], (2, 3)).shape == (0, 2, 3)
