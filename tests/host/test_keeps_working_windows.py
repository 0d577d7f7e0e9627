"""Apply Cast in windows over the width or height of a picture, the one kind of tiled sampling that ComfyUI itself has.

It is the host's Context Windows node with dim 2 or 3. Each window is a crop, which regions do not move with.
"""

from comfy_extras.nodes_context_windows import ContextWindowsManualNode
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_models import ADA, TWO, apply, assert_same, sample

SPOT = Region("spot", x=0.75, y=0.25, width=0.125, height=0.5)  # of 16: rows 4 to 11, columns 12 and 13


def windows(model, dim, length=10, overlap=4, anchor=False):
    return ContextWindowsManualNode.execute(
        model, length, overlap, "standard_static", 1, False, "pyramid", dim, False, causal_window_fix=anchor
    ).args[0]


def test_regions_land_at_the_right_cells_of_a_window(model, adapter, mode):
    with record_layers(model) as (recorded, calls):
        sample(windows(apply(recorded, [Member(ADA, SPOT)], adapter, mode=mode), 3), size=(16, 16), steps=1)

    assert len(calls) == 2 * 16
    for first, part in zip((0, 6), (calls[:16], calls[16:]), strict=True):
        assert_only_inside(part, [SPOT], (16, 16), (16, 10, 0, first), least=16)


def test_the_first_row_that_comfyui_puts_before_a_later_window_counts(model, adapter, mode):
    """With `causal_window_fix`, on by default, the row before a window comes first and is thrown away afterwards."""
    low = Region("low", y=0.5, height=0.25)  # rows 8 to 11
    with record_layers(model) as (recorded, calls):
        patched = apply(recorded, [Member(ADA, low)], adapter, mode=mode)
        sample(windows(patched, 2, anchor=True), size=(16, 16), steps=1)

    assert [call.grid for call in (calls[0], calls[16])] == [(10, 16), (11, 16)]
    assert_only_inside(calls[16:], [low], (16, 16), (11, 16, 5, 0), least=16)


def test_people_beyond_a_window_are_not_in_it(model, adapter, mode):
    left, both = (
        sample(windows(apply(model, cast, adapter, mode=mode), 3, 8, 0), size=(16, 16), steps=1, cfg=1.0)[..., :8]
        for cast in (TWO[:1], TWO)
    )

    assert_same(both, left)
