"""Rows of one batch that see different crops of the picture: each is severed where its own borders lie."""

import pytest
import torch
from pack.attention.isolation.isolated_convolutions import Kind
from pack.attention.recipes.recipe import Isolation
from pack.nodes.host.effects.isolated_convolutions import IsolateConvolutions, IsolationCache
from pack.nodes.host.effects.shares import Shares
from pack.nodes.host.model.rows import Call, Row
from pack.tests.host.tiny_models import LEFT, RIGHT
from torch import nn

APART = Isolation(0.0, end=1.0, cells=1000, apart_in="everything")
# Height, width, top and left: the border lies at two thirds, at one third, and nowhere.
AREAS = [(8, 6, 0, 2), (8, 6, 0, 4), (8, 6, 0, 6)]
KINDS = {
    "convolution": (Kind((3, 3), (1, 1), (1, 1)), nn.Conv2d(4, 8, 3, padding=1)),
    "strided convolution": (Kind((3, 3), (2, 2), (1, 1)), nn.Conv2d(4, 8, 3, stride=2, padding=1)),
    "group norm": (Kind(), nn.GroupNorm(2, 4)),
}


def severed(kind, layer, x, areas, images):
    call = Call((8, 12), tuple(Row(True, area) for area in areas), images)
    effect = IsolateConvolutions(APART, (), ((0.0, 1.0),))
    return IsolationCache(effect, Shares([LEFT, RIGHT], "priority")).isolated(kind, layer, x, call)


@pytest.mark.parametrize("name", KINDS)
def test_each_row_is_cut_at_its_own_borders_and_stays_in_its_place(name):
    kind, layer = KINDS[name]
    areas = [AREAS[1], AREAS[2], AREAS[0], AREAS[1], AREAS[2]]  # whose order by area is not its own inverse
    x = torch.randn(10, 4, 8, 6, generator=torch.Generator().manual_seed(1))

    with torch.no_grad():
        together = severed(kind, layer, x, areas, 2)

        for number, area in enumerate(areas):
            rows = slice(2 * number, 2 * number + 2)
            torch.testing.assert_close(together[rows], severed(kind, layer, x[rows], [area], 2), atol=1e-5, rtol=1e-5)
            plain = torch.allclose(together[rows], layer(x[rows]), atol=1e-5)
            assert plain == (area == AREAS[2])


def test_rows_that_another_pack_repeated_are_left_alone():
    kind, layer = KINDS["convolution"]
    x = torch.randn(3, 4, 8, 6, generator=torch.Generator().manual_seed(2))

    with torch.no_grad():
        assert torch.equal(severed(kind, layer, x, AREAS[:1], 1), layer(x))
