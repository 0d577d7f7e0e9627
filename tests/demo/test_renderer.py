"""What the renderer says about its pictures is true of them."""

from dataclasses import fields, replace

import pytest
import torch
from pack.demo.geometry import face_boxes, key_points
from pack.demo.people import BEARDS, FIELD, FIELDS, GLASSES, HAIR_STYLES
from pack.demo.renderer import render
from pack.demo.scenes import BACKGROUNDS, EXPRESSIONS, KINDS, LOOKS, MOST, SHIRTS, Scene, photos, random_scenes

SIZE = 96
# With these, every other field of a person shows: hair, brows, a beard's colour and glasses that hide no eyes.
SHOWN = {
    "hair_style": (HAIR_STYLES.index("long") + 0.5) / len(HAIR_STYLES),
    "beard": (BEARDS.index("chin") + 0.5) / len(BEARDS),
    "glasses": (GLASSES.index("round") + 0.5) / len(GLASSES),
}
OF_THE_BODY = ("shoulders",)


def scenes(count, figures, props=0.0, seed=0):
    return random_scenes(count, figures, torch.Generator().manual_seed(seed), props=props)


def one_person(**values) -> Scene:
    """Somebody in the middle, upright, looking ahead."""
    identity = torch.full((1, 1, len(FIELDS)), 0.5)
    for name, value in {**SHOWN, **values}.items():
        identity[..., FIELD[name]] = value
    scene = replace(scenes(1, 1), identity=identity, place=torch.tensor([[[0.5, 0.4, 0.2]]]))
    return replace(scene, motion=torch.tensor([[[0.0, 0.0, 0.3, 0.0, 0.9]]]), background=torch.tensor([5]))


def two_in_one_place(depth) -> Scene:
    """Two people of different shirts who stand in the same place."""
    scene = replace(scenes(1, 2), place=torch.tensor([[[0.5, 0.4, 0.2], [0.55, 0.4, 0.2]]]))
    return replace(scene, depth=torch.tensor([depth]), shirt=torch.tensor([[0, 1]]))


def people(count):
    return torch.rand(count, len(FIELDS), generator=torch.Generator().manual_seed(3))


def from_head(place, size=SIZE):
    """How far each pixel is from the centre of the head, in its half heights: [S, S]."""
    line = (torch.arange(size) + 0.5) / size
    return torch.hypot(line[None] - place[0], line[:, None] - place[1]) / place[2]


def test_the_same_scene_is_the_same_picture():
    scene = scenes(4, 3, props=0.3)

    first, second = render(scene, SIZE), render(scene, SIZE)

    for field in fields(first):
        assert torch.equal(getattr(first, field.name), getattr(second, field.name))


def test_a_scene_does_not_depend_on_its_company_in_the_batch():
    scene = scenes(6, 3, props=0.3)

    together, alone = render(scene, SIZE), render(scene[torch.tensor([2])], SIZE)

    for field in fields(together):
        torch.testing.assert_close(getattr(together, field.name)[2], getattr(alone, field.name)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("figures", range(1, MOST + 1))
def test_every_count_can_be_drawn_and_nobody_is_hidden(figures):
    drawn = render(scenes(24, figures), SIZE)

    assert drawn.picture.shape == (24, 3, SIZE, SIZE)
    assert drawn.mask.shape == (24, figures, SIZE, SIZE)
    assert drawn.depth.shape == (24, 1, SIZE, SIZE)
    assert drawn.picture.isfinite().all()
    assert (drawn.visible > 0.35).all()
    assert drawn.visible.mean() > 0.9
    assert drawn.mask.amax((2, 3)).min() > 0.9


@pytest.mark.parametrize("figures", [1, 3, 6])
def test_no_pixel_belongs_to_more_than_one_figure(figures):
    drawn = render(scenes(12, figures, props=0.3), SIZE)

    assert drawn.mask.min() >= 0
    assert drawn.mask.sum(1).max() <= 1 + 1e-5
    assert drawn.picture.min() >= 0
    assert drawn.picture.max() <= 1
    assert drawn.depth.min() >= 0
    assert drawn.depth.max() <= 1


def test_the_nearer_figure_covers_the_farther_one():
    left_in_front, right_in_front = (render(two_in_one_place(depth), SIZE) for depth in ([0.9, 0.1], [0.1, 0.9]))

    assert left_in_front.visible[0, 0] == pytest.approx(1)
    assert left_in_front.visible[0, 1] < 0.5
    assert right_in_front.visible[0, 1] == pytest.approx(1)
    assert right_in_front.visible[0, 0] < 0.5


def test_the_nearer_figure_is_brighter_in_the_depth_map():
    drawn = render(two_in_one_place([0.9, 0.1]), SIZE)

    near, far = ((drawn.depth[0, 0])[drawn.mask[0, which] > 0.95].mean() for which in (0, 1))
    nobody = drawn.depth[0, 0][drawn.mask[0].sum(0) < 0.01].max()

    assert near > far > nobody


def test_an_uncovered_head_is_wholly_visible():
    drawn = render(photos(people(20), torch.Generator().manual_seed(0)), SIZE)

    torch.testing.assert_close(drawn.visible, torch.ones(20, 1), atol=1e-4, rtol=0)


def test_what_is_outside_the_picture_is_not_called_covered():
    whole, cut = one_person(), replace(one_person(), place=torch.tensor([[[0.0, 0.4, 0.2]]]))

    assert render(cut, SIZE).mask.sum() < 0.6 * render(whole, SIZE).mask.sum()
    assert render(cut, SIZE).visible.item() == pytest.approx(1)


@pytest.mark.parametrize("kind", ["ball", "plant"])
def test_things_have_no_face(kind):
    drawn = render(photos(people(6), torch.Generator().manual_seed(0), KINDS.index(kind)), SIZE)

    assert (drawn.visible == 0).all()
    assert (drawn.mask.amax((2, 3)) > 0.9).all()


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_figures_with_other_numbers_look_different_and_change_nothing_else(kind):
    scene = photos(people(1), torch.Generator().manual_seed(0), kind)[torch.tensor([0, 0])]

    drawn = render(replace(scene, identity=people(2)[:, None]), SIZE)

    changed = (drawn.picture[0] - drawn.picture[1]).abs().amax(0)
    assert changed.max() > 0.1
    assert changed[drawn.mask.amax((0, 1)) < 1e-3].max() < 0.01


def test_key_points_lie_inside_the_face_box_of_upright_people():
    scene = scenes(400, 1)
    identity, motion, place = (
        scene.identity[:, 0],
        scene.motion[:, 0] * torch.tensor([1, 0, 1, 1, 1]),
        scene.place[:, 0],
    )

    points, boxes = key_points(identity, motion, place), face_boxes(identity, motion, place)

    assert (points > boxes[:, None, :2]).all()
    assert (points < boxes[:, None, 2:]).all()


def test_key_points_keep_left_and_right_and_turn_with_the_head():
    scene = scenes(400, 1)

    points = key_points(scene.identity[:, 0], scene.motion[:, 0], scene.place[:, 0])

    assert (points[:, 0, 0] < points[:, 1, 0]).all()
    assert (points[:, 3, 0] < points[:, 4, 0]).all()
    eyes = points[:, 1] - points[:, 0]
    torch.testing.assert_close(torch.atan2(eyes[:, 1], eyes[:, 0]), scene.motion[:, 0, 1] * 0.3, atol=1e-4, rtol=0)


def test_eyes_are_where_the_key_points_say():
    scene = one_person(glasses=0.0, eye_size=1.0)

    drawn = render(scene, 256)

    for eye in drawn.key_points[0, 0, :2]:
        x, y = (eye * 256).long().tolist()
        assert drawn.picture[0, :, y - 1 : y + 2, x - 1 : x + 2].amin() < 0.1  # the pupil


@pytest.mark.parametrize("name", FIELDS)
def test_every_number_of_a_person_shows_where_it_belongs(name):
    pictures = [render(one_person(**{name: value}), SIZE).picture[0] for value in (0.05, 0.95)]

    changed = (pictures[0] - pictures[1]).abs().amax(0)
    assert changed.max() > 0.02
    distance = from_head(one_person().place[0, 0])
    if name in OF_THE_BODY:
        assert changed[distance < 0.9].max() < 0.02
    elif name not in ("skin", "skin_tint", "hair_style"):  # a neck has skin, and long hair hangs over shoulders
        assert changed[distance > 2.0].max() < 0.02


@pytest.mark.parametrize(
    ("part", "kinds"), [("shirt", SHIRTS), ("background", BACKGROUNDS)], ids=["shirt", "background"]
)
def test_every_kind_of_shirt_and_place_looks_different(part, kinds):
    value = getattr(one_person(), part)
    pictures = [
        render(replace(one_person(), **{part: torch.full_like(value, i)}), SIZE).picture for i in range(len(kinds))
    ]

    for i, one in enumerate(pictures):
        assert all((one - other).abs().mean() > 0.01 for other in pictures[:i])


def test_the_place_does_not_shine_through_people():
    drawn = [render(replace(one_person(), background=torch.tensor([i])), SIZE) for i in (1, 2)]

    inside = drawn[0].mask[0, 0] > 0.999
    assert (drawn[0].picture - drawn[1].picture)[0, :, inside].abs().max() < 0.01


def test_motion_shows_the_expression_and_the_look_of_the_caption():
    scene = scenes(300, 2)
    yaw, _, smile, mouth, _ = scene.motion.unbind(-1)

    assert (yaw[scene.look == LOOKS.index("left")] < -0.5).all()
    assert (yaw[scene.look == LOOKS.index("right")] > 0.5).all()
    assert (yaw[scene.look == LOOKS.index("ahead")].abs() < 0.25).all()
    assert (smile[scene.expression == EXPRESSIONS.index("smiling")] > 0.7).all()
    assert (smile[scene.expression == EXPRESSIONS.index("sad")] < -0.7).all()
    assert (mouth[scene.expression == EXPRESSIONS.index("surprised")] > 0.7).all()
    assert (smile[scene.expression == EXPRESSIONS.index("neutral")] == 0).all()


def test_figures_stand_from_left_to_right():
    for figures in range(2, MOST + 1):
        assert (scenes(100, figures).place[..., 0].diff(dim=1) > 0).all()


def test_a_wide_picture_shows_people_as_a_square_does():
    scene = scenes(3, 2, props=0.2)
    wide = replace(scene, place=scene.place * torch.tensor([0.5, 1.0, 1.0]))

    square, broad = render(scene, SIZE), render(wide, (SIZE, 2 * SIZE))

    assert broad.picture.shape == (3, 3, SIZE, 2 * SIZE)
    torch.testing.assert_close(broad.mask[..., : SIZE - 30], square.mask[..., : SIZE - 30], atol=1e-4, rtol=0)
    torch.testing.assert_close(broad.face_box * torch.tensor([2, 1, 2, 1]), square.face_box)
    torch.testing.assert_close(broad.key_points * torch.tensor([2, 1]), square.key_points)


def test_people_are_larger_in_a_wide_picture_and_stay_in_it():
    generator = torch.Generator().manual_seed(0)

    for figures in range(1, MOST + 1):
        scene = random_scenes(200, figures, generator, aspect=2.0)
        x, _, size = scene.place.unbind(-1)
        assert (x - 0.8 * size / 2).min() > -1e-6
        assert (x + 0.8 * size / 2).max() < 1 + 1e-6
        assert size.mean() > scenes(200, figures).place[..., 2].mean() * (1 if figures == 1 else 1.1) - 0.01
