"""The pure pieces of the bench `world`: who is read as whom, the reader's crop, unseen people, ratios, bounds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.demo.people import new_identities
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.demo.train.alignment import person_crops
from pack.demo.train.corpus import training_identities
from pack.scripts.benches.offline_world.bounds import LARGE, SMALL, bounds_of, enough_for
from pack.scripts.benches.offline_world.company import SEED, TUNING_SEED
from pack.scripts.benches.offline_world.drawing import DECOUPLED, EVERYWHERE
from pack.scripts.benches.offline_world.people import differs, generator_of, prompt_of
from pack.scripts.benches.offline_world.prompted import share_alike
from pack.scripts.benches.offline_world.ratios import pooled_figure, share_figure
from pack.scripts.benches.offline_world.reading import left_to_right, paired, person_crop
from pack.scripts.benches.offline_world.rendered import SEED_PEOPLE, matched_boxes, true_faces
from pack.scripts.figures.samples import Samples

centres = st.lists(st.floats(0, 1, allow_nan=False), max_size=6).map(sorted)


def test_faces_are_read_from_left_to_right_by_their_centres():
    boxes = [np.array(box) for box in ([50, 0, 70, 20], [0, 5, 90, 30], [10, 0, 20, 9])]

    assert left_to_right(boxes) == [2, 1, 0]


@pytest.mark.parametrize(
    ("found", "people", "expected"),
    [
        ([0.3, 0.4], 2, [0, 1]),  # as many as prompted: in turn, wherever they stand
        ([0.8], 2, [-1, 0]),
        ([0.2], 2, [0, -1]),
        ([], 2, [-1, -1]),
        ([0.1, 0.25, 0.76], 2, [1, 2]),  # a stranger at the edge
        ([0.12, 0.6, 0.9], 4, [0, -1, 1, 2]),
    ],
)
def test_found_faces_stand_for_the_prompted_people(found, people, expected):
    assert paired(found, people) == expected


@given(found=centres, people=st.integers(1, 6))
def test_no_face_stands_for_two_and_their_order_is_kept(found, people):
    pairs = paired(found, people)
    taken = [face for face in pairs if face >= 0]

    assert len(pairs) == people
    assert len(taken) == min(len(found), people)
    assert taken == sorted(set(taken))


def test_a_person_without_a_face_shows_nothing_prompted():
    assert share_alike([2, -1, 0, 1], [2, 0, 0, 3]) == 0.5


@settings(deadline=None, max_examples=25)
@given(
    height=st.floats(0.05, 0.6),
    x=st.floats(-0.1, 1.1),
    y=st.floats(-0.1, 1.1),
    size=st.sampled_from([96, 128, 256]),
    seed=st.integers(0, 99),
)
def test_the_crop_is_the_one_the_reader_was_trained_on(height, x, y, size, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    box = np.array([x - height / 3, y - height / 2, x + height / 3, y + height / 2])

    expected = person_crops(
        torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255, torch.from_numpy(box)[None].float()
    )[0]

    np.testing.assert_allclose(person_crop(picture, box * size), expected.numpy(), atol=2e-3)


def test_the_people_of_the_bench_were_never_trained_on():
    trained = training_identities()

    for seed in (SEED_PEOPLE, SEED + 1, SEED + 2, TUNING_SEED + 1, TUNING_SEED + 2):
        generator = generator_of(seed)
        random_scenes(4, 1, generator)
        unseen = torch.cat([new_identities(50, generator_of(seed)), new_identities(50, generator)])
        assert torch.cdist(unseen, trained).min() > 0.1


def test_a_reference_differs_from_the_scene_in_everything_but_the_person():
    scene = random_scenes(1, 2, generator_of(3), props=0.0)
    other = random_scenes(200, 1, generator_of(4), props=0.0)
    fitting = [other[row : row + 1] for row in range(200) if differs(other[row : row + 1], scene, 1)]

    assert 10 < len(fitting) < 120
    for photo in fitting:
        assert photo.background[0] != scene.background[0]
        assert all(getattr(photo, f)[0, 0] != getattr(scene, f)[0, 1] for f in ("expression", "look", "shirt"))
    assert not differs(scene[0:1], scene, 0)


def test_a_prompt_says_everything_about_its_scene():
    scene = random_scenes(1, 2, generator_of(5), props=0.0)
    count, *people = prompt_of(scene, 0).split(",")

    assert count.startswith("two ")
    assert [len(person.split()) for person in people] == [3, 3]


def test_two_people_have_a_half_each_or_both_everything_at_half_strength():
    left, right = DECOUPLED.regions(2)
    assert (left.x, left.width, right.x, right.width) == (0, 0.5, 0.5, 0.5)
    assert all(region.width == 1 for region in EVERYWHERE.regions(2))
    assert EVERYWHERE.recipe.compositor == "sum"


def test_a_box_counts_once_and_only_where_it_overlaps():
    truth = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float)
    found = np.array([[1, 0, 11, 10], [0, 0, 10, 9], [24, 5, 34, 15]], float)

    assert matched_boxes(found, truth).tolist() == [1, -1]
    assert matched_boxes(found[:0], truth).tolist() == [-1, -1]


def test_props_have_no_faces_and_covered_faces_are_not_asked_for():
    scene = random_scenes(40, 6, generator_of(6), props=0.3)
    for row in range(4):
        drawn = render(scene[row : row + 1], 64)
        boxes, visible, figures = true_faces(drawn, scene[row : row + 1], 64)
        assert (scene.kind[row, figures] == 0).all()
        assert len(boxes) == len(visible) == len(figures)
        assert (visible >= 0.1).all()


def test_pooled_shares_weigh_scenes_by_their_people():
    figure = pooled_figure([1, 0], [1, 3])

    assert figure.value == 0.25
    assert (figure.low, figure.high) == (0.0, 1.0)
    assert np.isnan(pooled_figure([0, 0], [0, 0]).value)


def test_a_share_of_a_mean_has_both_spreads():
    whole, part = np.linspace(0.4, 0.6, 50), np.linspace(0.3, 0.5, 50)
    figure = share_figure(part, whole)

    assert figure.value == pytest.approx(0.8)
    assert figure.low < 0.8 < figure.high
    assert np.isnan(share_figure(part, np.zeros(50)).value)


def test_forms_have_their_bounds_and_bounds_their_least_samples():
    assert bounds_of("256") is LARGE
    assert bounds_of("128") is bounds_of("smoke") is SMALL
    assert [enough_for(bound) for bound in (0.5, 0.7, 0.9, 0.95, 0.97)] == [10, 10, 30, 60, 100]


def test_samples_are_measured_once_and_kept_for_the_same_state_only(tmp_path):
    file, asked = tmp_path / "bench" / "x.jsonl", []

    def measure():
        asked.append(1)
        return {"own": [0.5, 0.25]}

    for _ in range(2):
        assert Samples(file, "key").get("one", measure) == {"own": [0.5, 0.25]}
    assert len(asked) == 1
    file.write_text(file.read_text()[:-4])  # as a kill leaves it
    Samples(file, "key").get("one", measure)
    Samples(file, "other key").get("one", measure)
    assert len(asked) == 3
    kept = Samples(file, "key")
    assert list(kept.found) == ["one"]
    kept.clear()
    assert not file.exists()
