"""Apply Cast among packs that cut the latents into tiles, several to a call, in the manner of Tiled Diffusion.

They stand around the model as its function wrapper. Rows of a call come tile by tile, and nobody is told of it.
"""

import logging

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import touched
from pack.tests.host.tiny_models import ADA, BOB, EVERYWHERE, LEFT, TWO, apply, assert_different, assert_same, sample

SIZE = (8, 16)


class Tiles:
    """Tiles of `side` latent cells with some overlap, so many to a call; what several draw is averaged.

    by_tile : the rows of a call come tile by tile, as in Tiled Diffusion; else prompt by prompt
    changed : each tile is mirrored on its way to the model, so that its latents are found nowhere
    """

    def __init__(self, batch: int, side: int = 8, overlap: int = 4, by_tile: bool = True, changed: bool = False):
        self.batch, self.side, self.overlap, self.by_tile, self.changed = batch, side, overlap, by_tile, changed

    def __call__(self, call, args):
        x, rest = args["input"], args["c"]
        groups = len(args["cond_or_uncond"])
        starts = range(0, x.shape[-1] - self.side + 1, self.side - self.overlap)
        total, times = torch.zeros_like(x), torch.zeros_like(x)
        for first in range(0, len(starts), self.batch):
            parts = [(..., slice(start, start + self.side)) for start in starts[first : first + self.batch]]

            tiles = self._ordered([x[part] for part in parts], groups)
            times_of = self._ordered([args["timestep"]] * len(parts), groups)
            text = {k: self._ordered([t] * len(parts), groups) for k, t in rest.items() if isinstance(t, torch.Tensor)}
            tiles = tiles.flip(-1) if self.changed else tiles
            out = call(tiles, times_of, **{**rest, **text})
            out = out.flip(-1) if self.changed else out
            if not self.by_tile:
                out = out[self._order(len(out), groups, len(parts)).argsort()]
            for part, drawn in zip(parts, out.chunk(len(parts)), strict=True):
                total[part] += drawn
                times[part] += 1
        return total / times

    def _ordered(self, tiles, groups):
        rows = torch.cat(tiles)
        return rows if self.by_tile else rows[self._order(len(rows), groups, len(tiles))]

    @staticmethod
    def _order(rows, groups, tiles):
        return torch.arange(rows).view(tiles, groups, -1).transpose(0, 1).flatten()


def tiled(model, batch, **options):
    own = model.clone()
    own.set_model_unet_function_wrapper(Tiles(batch, **options))
    return own


@pytest.mark.parametrize("by_tile", [True, False])
@pytest.mark.parametrize("pictures", [1, 2])
def test_it_makes_no_difference_how_many_tiles_share_a_call(model, adapter, mode, by_tile, pictures):
    patched = apply(model, TWO, adapter, mode=mode)
    alone, together = (sample(tiled(patched, batch, by_tile=by_tile), size=SIZE, batch=pictures) for batch in (1, 3))

    assert_same(together, alone)
    assert_different(together, sample(tiled(model, 3, by_tile=by_tile), size=SIZE, batch=pictures))


def test_nobody_acts_in_the_negative_prompt(model, adapter, mode):
    one = [Member(ADA, EVERYWHERE)]
    with record_layers(model) as (recorded, calls):
        sample(tiled(apply(recorded, one, adapter, mode=mode), 3), size=SIZE, steps=1)
    with record_layers(model) as (recorded, alone):
        sample(tiled(apply(recorded, one, adapter, mode=mode), 1), size=SIZE, steps=1)

    layers = len(calls)
    assert len(alone) == 3 * layers
    for number, call in enumerate(calls):
        change = call.after - call.before
        for tile, expected in enumerate(alone[number::layers]):
            rows = change[2 * tile : 2 * tile + 2]
            torch.testing.assert_close(rows, expected.after - expected.before, atol=1e-4, rtol=1e-3)


def test_regions_land_at_the_right_cells_of_a_tile(model, adapter):
    spot = Region("spot", x=0.625, y=0.25, width=0.25, height=0.5)  # of 16: columns 10 to 13
    with record_layers(model) as (recorded, calls):
        sample(tiled(apply(recorded, [Member(ADA, spot)], adapter), 3), size=SIZE, steps=1)

    finest = [call for call in calls if call.grid == (8, 8)]
    assert finest
    for call in finest:
        change = (call.after - call.before).unflatten(1, call.grid).abs().amax(-1)
        for tile, left in enumerate((0, 4, 8)):
            inside = touched(spot, call.grid, SIZE, (8, 8, 0, left))
            rows = change[2 * tile : 2 * tile + 2]
            assert torch.equal(rows[:, ~inside], torch.zeros_like(rows[:, ~inside]))
            assert not inside.any() or rows[:, inside].min() > 0


def test_a_tile_as_large_as_the_picture_is_the_picture(model, adapter):
    patched = apply(model, TWO, adapter)

    assert_same(sample(tiled(patched, 1, side=16, overlap=0), size=SIZE), sample(patched, size=SIZE))


def test_tiles_that_cannot_be_found_are_said_once_in_a_run(model, adapter, caplog):
    patched = apply(model, [Member(ADA, LEFT), Member(BOB, LEFT)], adapter)

    with caplog.at_level(logging.WARNING):
        assert sample(tiled(patched, 2, changed=True), size=SIZE, steps=3).isfinite().all()

    said = [record.message for record in caplog.records if "samples parts of the picture" in record.message]
    assert len(said) == 1
    assert "8 x 8 latent cells, where 8 x 16 were evaluated" in said[0]


def test_what_is_not_cut_asks_the_device_for_nothing_and_says_nothing(model, adapter, caplog):
    patched = apply(model, TWO, adapter)
    with caplog.at_level(logging.WARNING):
        sample(patched, size=SIZE)

    assert not caplog.records
