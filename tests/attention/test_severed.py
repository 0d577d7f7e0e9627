"""Severed convolutions and group norms against the slow formulas, and what they promise."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.isolation.isolated_convolutions import convolution_cut, isolated_convolution
from pack.attention.isolation.isolated_norms import enlarged, isolated_norm, norm_cuts, sides_of
from pack.tests.attention import reference_severed as slow
from torch import nn

DOUBLE = {"atol": 1e-12, "rtol": 1e-12}
GRIDS = st.tuples(st.integers(1, 6), st.integers(1, 6))
ETAS = st.sampled_from([0.0, 0.3])
BACKGROUNDS = st.sampled_from(["shared", "apart"])
SHAPES = st.sampled_from([(3, 1, 1), (3, 2, 1), (5, 1, 2), (1, 1, 0), (2, 2, 0)])  # kernel, stride, padding
FIRST, SECOND, BOTH, NOBODY = (1, 0), (0, 1), (1, 1), (0, 0)


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def owned_cells(grid, seed):
    """Whose each cell is, [H, W, 2]: somebody's, nobody's or both's."""
    kinds = torch.tensor([FIRST, SECOND, BOTH, NOBODY], dtype=torch.bool)
    return kinds[torch.randint(4, grid, generator=torch.Generator().manual_seed(seed))]


def halves(side):
    owned = torch.zeros(side, side, 2, dtype=torch.bool)
    owned[:, : side // 2, 0] = owned[:, side // 2 :, 1] = True
    return owned


def convolved(conv, x, read, written, eta=0.0, background="shared"):
    sides = sides_of(read, written, background)
    return isolated_convolution(conv, x, convolution_cut(sides, conv.kernel_size, conv.stride, conv.padding, eta), eta)


def normed(norm, x, owned, eta=0.0, background="shared"):
    return isolated_norm(norm, x, norm_cuts(sides_of(owned, owned, background)), eta)


def made(kernel, stride, padding, seed=3):
    conv = nn.Conv2d(2, 3, kernel, stride, padding).double()
    conv.weight.data, conv.bias.data = randoms(3, 2, kernel, kernel, seed=seed), randoms(3, seed=seed + 1)
    return conv


@settings(max_examples=60, deadline=None)
@given(GRIDS, SHAPES, ETAS, BACKGROUNDS, st.integers(0, 10_000))
def test_a_severed_convolution_is_its_formula(grid, shape, eta, background, seed):
    kernel, stride, padding = shape
    conv, x = made(*shape), randoms(2, 2, *grid, seed=seed)
    if min(side + 2 * padding for side in grid) < kernel:
        return
    read, written = owned_cells(grid, seed), owned_cells(tuple(conv(x).shape[-2:]), seed + 1)

    with torch.no_grad():
        out = convolved(conv, x, read, written, eta, background)

        for row in range(2):
            expected = slow.convolution(x[row], conv.weight, conv.bias, stride, padding, read, written, eta, background)
            torch.testing.assert_close(out[row], expected, **DOUBLE)


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(2, 5), st.integers(2, 5)), ETAS, BACKGROUNDS, st.integers(0, 10_000))
def test_a_severed_norm_is_its_formula(grid, eta, background, seed):
    norm, x, owned = nn.GroupNorm(2, 4).double(), randoms(2, 4, *grid, seed=seed), owned_cells(grid, seed)
    norm.weight.data, norm.bias.data = randoms(4, seed=seed + 2), randoms(4, seed=seed + 3)

    with torch.no_grad():
        out = normed(norm, x, owned, eta, background)

        for row in range(2):
            expected = slow.group_norm(x[row], 2, norm.weight, norm.bias, norm.eps, owned, eta, background)
            torch.testing.assert_close(out[row], expected, **DOUBLE)


def test_nobody_reads_anything_of_somebody_else():
    conv, norm, owned = made(3, 1, 1), nn.GroupNorm(1, 3).double(), halves(6)

    def layers(x):
        return normed(norm, convolved(conv, x, owned, owned), owned)

    jacobian = torch.autograd.functional.jacobian(layers, randoms(1, 2, 6, 6))[0, :, :, :, 0].abs()
    reach = jacobian.amax((0, 3)) > 0  # [H', W', H, W]

    assert not reach[:, :3, :, 3:].any()
    assert not reach[:, 3:, :, :3].any()
    assert reach[:, :3, :, :3].all()


def test_a_picture_cut_in_two_is_two_pictures():
    conv, x, owned = made(3, 1, 1), randoms(1, 2, 8, 8), halves(8)

    with torch.no_grad():
        out = convolved(conv, x, owned, owned)

        torch.testing.assert_close(out, torch.cat([conv(half) for half in x.chunk(2, -1)], -1), **DOUBLE)


@pytest.mark.parametrize("owned", [halves(6)[..., :1] | True, halves(6) & False], ids=["one person", "nobody"])
def test_where_there_is_no_border_a_layer_is_what_it_was(owned):
    conv, norm, x = made(3, 1, 1), nn.GroupNorm(1, 2).double(), randoms(1, 2, 6, 6)

    with torch.no_grad():
        assert torch.equal(convolved(conv, x, owned, owned), conv(x))
        assert torch.equal(normed(norm, x, owned), norm(x))


def called(owned, eta, background="shared"):
    """The sizes of everything that a convolution of a picture with these owners is called with."""
    sizes = []

    def conv(x):
        sizes.append(tuple(x.shape[-2:]))
        return x

    sides = sides_of(owned, owned, background)
    isolated_convolution(
        conv, randoms(1, 1, *owned.shape[:2]), convolution_cut(sides, (3, 3), (1, 1), (1, 1), eta), eta
    )
    return sizes


def test_a_convolution_is_called_once_with_little_more_than_the_picture():
    apart = halves(16)
    apart[:, 6:10] = False  # nobody's, and not at the border of anybody else

    assert called(halves(16), 0.0) == [(16, 20)]  # each half, a column beyond its border, and zeros before it
    assert called(halves(16), 0.3) == [(16, 24)]  # the picture, and strips of three columns
    assert called(halves(16).transpose(0, 1), 0.3) == [(24, 16)]
    assert called(apart, 0.0) == [(16, 16)]


def test_whose_enlarged_cells_are_follows_the_values():
    owned, values = owned_cells((3, 4), 5), torch.arange(12.0).view(1, 1, 3, 4)

    large = F.interpolate(values, (5, 8), mode="nearest")[0, 0].long()

    assert torch.equal(enlarged(owned, (5, 8)), owned.flatten(0, 1)[large])
