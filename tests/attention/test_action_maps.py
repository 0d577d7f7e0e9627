"""Recorded maps: what is summed where, how much memory that takes, and how they are shown."""

import pytest
import torch
from pack.attention.maps.attribution_maps import (
    MOST_BYTES,
    ActionMaps,
    ActionSums,
    joined_maps,
    map_side,
    shrunk,
    span_of,
)
from pack.attention.maps.step_columns import MOST_STEPS, column_count, step_column, step_spans
from pack.attention.maps.views import acted, by_group, by_step, group_labels, step_labels
from pack.attention.recipes.schedule import step_number

WHOLE, HALF = ("input", 0), ("middle", 1)
FIRST = torch.zeros(1, dtype=torch.long)


def sums(members=2, images=1, steps=4, grids=None):
    return ActionSums(grids or {WHOLE: (4, 6), HALF: (2, 3)}, members, images, steps)


def bytes_of(own: ActionSums) -> int:
    return sum(tensor.nbytes for tensor in (*own._sums.values(), *own._visits.values()))


def test_energies_are_averaged_over_layer_calls_step_by_step():
    own = sums()
    for value, column in ((1.0, 0), (3.0, 0), (8.0, 2)):
        own.add(WHOLE, torch.full((2, 1, 4, 6), value), torch.tensor([column]))

    of_steps = own.means()[0][:, 0, 0, 1, 1]
    assert of_steps.tolist() == [2.0, 0.0, 8.0, 0.0]
    assert not own.means()[1].any()


def test_a_crop_goes_where_it_lies():
    own = sums()
    own.add(WHOLE, torch.ones(2, 1, 4, 3), FIRST, span_of((4, 3, 0, 3), (4, 6), own.size(WHOLE)))

    seen = own.means()[0][0, 0, 0]
    assert torch.equal(seen, torch.tensor([[0.0, 0, 0, 1, 1, 1]] * 4))


def test_crops_that_overlap_count_once():
    own = sums()
    for left in (0, 2):
        own.add(WHOLE, torch.ones(2, 1, 4, 4), FIRST, span_of((4, 4, 0, left), (4, 6), own.size(WHOLE)))

    assert torch.equal(own.means()[0][0], torch.ones(2, 1, 4, 6))


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 6)])
@pytest.mark.parametrize("area", [(1, 1, 0, 0), (1, 1, 3, 5), (4, 6, 0, 0), (2, 3, 1, 2)])
def test_every_crop_has_a_cell_inside_of_the_map(area, size):
    for span, cells in zip(span_of(area, (4, 6), size), size, strict=True):
        assert 0 <= span.start < span.stop <= cells


def test_calls_of_fewer_pictures_than_the_run_count_for_all():
    own = sums(images=3)
    own.add(WHOLE, torch.full((2, 1, 4, 6), 2.0), FIRST)

    assert torch.equal(own.means()[0][0], torch.full((2, 3, 4, 6), 2.0))


def test_a_run_on_two_devices_has_sums_on_both():
    own = sums()
    for device in ("cpu", "meta"):
        own.add(WHOLE, torch.ones(2, 1, 4, 6, device=device), FIRST.to(device))

    assert {tensor.device.type for tensor in own._sums.values()} == {"cpu", "meta"}


@pytest.mark.parametrize("members", [1, 8])
@pytest.mark.parametrize("images", [1, 64])
@pytest.mark.parametrize("size", [64, 256])  # 512 and 2048 px
def test_memory_is_bounded_whatever_is_sampled(members, images, size):
    levels = [("input", 0), ("input", 1), ("input", 2), ("middle", 3), ("output", 2), ("output", 1), ("output", 0)]
    own = sums(members, images, steps=100, grids={group: (size >> group[1],) * 2 for group in levels})
    for group in levels:
        rows, columns = own.size(group)
        assert max(rows, columns) <= 64
        own.add(group, torch.rand(members, 1, rows, columns), FIRST)

    assert 0 < bytes_of(own) <= MOST_BYTES


def test_two_people_at_512_pixels_take_what_the_docstring_says():
    levels = [("input", 0), ("input", 1), ("input", 2), ("middle", 3), ("output", 2), ("output", 1), ("output", 0)]
    own = sums(2, 1, steps=20, grids={group: (64 >> group[1],) * 2 for group in levels})
    for group in levels:
        own.add(group, torch.ones(2, 1, *own.size(group)), FIRST)

    assert f"{bytes_of(own) / 2**20:.1f} MiB" in ActionSums.__doc__


def test_maps_are_made_coarser_by_whole_numbers():
    assert shrunk((128, 96), 64) == (64, 48)
    assert shrunk((130, 10), 64) == (44, 4)
    assert shrunk((5, 7), 64) == (5, 7)
    assert map_side([(64, 64)], 1) == 64
    assert map_side([(64, 64)], MOST_BYTES // (4 * 64 * 64) + 1) == 32


@pytest.mark.parametrize("steps", [1, 4, 16, 17, 30, 100])
def test_every_step_has_its_column(steps):
    sigmas = torch.linspace(14.6, 0.0, steps + 1)
    spans = step_spans(steps)

    assert min(steps, MOST_STEPS // 2) <= len(spans) == column_count(steps) <= MOST_STEPS
    assert (spans[0][0], spans[-1][1]) == (1, steps)
    for number, sigma in enumerate(sigmas[:-1]):
        column = int(step_column(sigma[None], sigmas))
        assert spans[column][0] <= number + 1 <= spans[column][1]
        assert number == step_number(float(sigma), sigmas.tolist())


def test_levels_between_and_beyond_the_steps_have_a_column_too():
    sigmas = torch.tensor([10.0, 5.0, 1.0, 0.0])

    assert [int(step_column(torch.tensor([s]), sigmas)) for s in (12.0, 10.0, 7.0, 5.0, 0.5, 0.0)] == [0, 0, 0, 1, 2, 2]


def maps(*means, groups=(WHOLE, HALF), steps=4):
    names = tuple("AB"[: means[0].shape[1]])
    return ActionMaps(names, tuple(groups), ((4, 6), (2, 3)), step_spans(steps), means)


def random_maps(images=1):
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 2, images, 4, 6), (4, 2, images, 2, 3))
    return maps(*(torch.rand(shape, generator=generator) for shape in shapes))


def test_layer_groups_count_alike_whatever_the_size_of_their_energies():
    recorded = random_maps()
    louder = maps(recorded.means[0] * 1000, recorded.means[1])

    torch.testing.assert_close(acted(recorded), acted(louder))


def test_people_are_scaled_together_and_pictures_apart():
    recorded = random_maps(images=2)
    weak = [own.clone() for own in recorded.means]
    for own in weak:
        own[:, 1] *= 0.1
        own[:, :, 1] *= 0.01
    seen = acted(maps(*weak))

    assert torch.equal(seen.amax((0, 2, 3)), torch.ones(2))
    assert seen[1].max() < 0.3


def test_a_part_of_the_schedule_shows_its_steps_alone():
    early = [torch.zeros(4, 2, 1, 4, 6), torch.zeros(4, 2, 1, 2, 3)]
    for own in early:
        own[:2, 0], own[2:, 1] = 1.0, 1.0
    recorded = maps(*early)

    assert acted(recorded, end=0.5)[1].max() == 0
    assert acted(recorded, start=0.5)[0].max() == 0
    assert [bool(step[0].any()) for step in by_step(recorded)] == [True, True, False, False]
    with pytest.raises(ValueError, match="from 0.5 to 0.5 of the schedule there is no step"):
        acted(recorded, start=0.5, end=0.5)


def test_chosen_layers_are_shown_alone():
    recorded = maps(torch.zeros(4, 2, 1, 4, 6), torch.ones(4, 2, 1, 2, 3))

    assert not acted(recorded, "input").any()
    assert torch.equal(acted(recorded, "middle"), torch.ones(2, 1, 2, 3))
    assert [bool(group.any()) for group in by_group(recorded)] == [False, True]
    with pytest.raises(ValueError, match="no output layers"):
        acted(recorded, "output")


def test_labels_say_where_and_when():
    assert group_labels(random_maps()) == ["input 6x4", "middle 3x2"]
    assert step_labels(random_maps()) == ["step 1", "step 2", "step 3", "step 4"]
    assert step_labels(maps(torch.zeros(9, 2, 1, 4, 6), steps=17))[::4] == ["steps 1-2", "steps 9-10", "step 17"]


def test_casts_of_one_run_are_joined_though_one_has_coarser_maps():
    one, other = sums(members=1), sums(members=2, grids={WHOLE: (2, 3), HALF: (2, 3)})
    one.add(WHOLE, torch.ones(1, 1, 4, 6), FIRST)
    other.add(WHOLE, torch.full((2, 1, 2, 3), 2.0), FIRST)
    both = joined_maps(["A", "B", "C"], [one, other], 4)

    assert both.means[0].shape == (4, 3, 1, 4, 6)
    assert both.means[0][0].amax((1, 2, 3)).tolist() == [1.0, 2.0, 2.0]
