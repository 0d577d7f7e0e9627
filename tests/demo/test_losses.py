"""What the stages of training ask of their models, on cases where the answer is known."""

import pytest
import torch
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.demo.train.control import OVERLAPS, even_planes, overlap_weight, silhouettes
from pack.demo.train.detector import ANCHORS, SIDE, STRIDES, Detector, detection_loss
from pack.demo.train.flow import flow_loss
from pack.demo.train.importance import face_weight, feature_weight


def test_the_true_velocity_costs_nothing():
    latents = torch.randn(6, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    def true_velocity(x, time):
        return (x - latents) / (time / 1000)[:, None, None, None]  # x = x0 + s (noise - x0)

    assert flow_loss(true_velocity, latents, torch.Generator().manual_seed(1)) < 1e-3
    assert flow_loss(lambda x, _: torch.zeros_like(x), latents, torch.Generator().manual_seed(1)) > 1


def test_times_are_what_the_host_hands_to_the_model():
    times = []

    def note(x, time):
        times.append(time)
        return torch.zeros_like(x)

    flow_loss(note, torch.zeros(500, 1, 2, 2), torch.Generator().manual_seed(0))

    assert times[0].min() > 0
    assert 500 < times[0].max() < 1000


def test_a_loss_counts_what_its_weight_says():
    latents, half = torch.zeros(4, 1, 4, 4), torch.zeros(4, 1, 4, 4)
    half[..., :2] = 1

    def wrong_on_the_right(x, time):
        velocity = x / (time / 1000)[:, None, None, None]
        velocity[..., 2:] = 1e3
        return velocity

    assert flow_loss(wrong_on_the_right, latents, torch.Generator().manual_seed(0), half + 1e-12) < 1e-2
    assert flow_loss(wrong_on_the_right, latents, torch.Generator().manual_seed(0)) > 1e3


def test_heads_count_more_and_absent_figures_nothing():
    boxes = torch.zeros(1, 6, 4)
    boxes[0, 0] = torch.tensor([0.25, 0.25, 0.5, 0.5])

    weight = face_weight(boxes, 16, 4.0)[0, 0]

    assert weight[6, 6] == 4
    assert weight[0, 0] == weight[12, 12] == weight[6, 14] == 1
    assert 16 <= (weight == 4).sum() <= 40


def test_eyes_and_mouths_count_most_and_those_of_small_faces_more():
    boxes, points = torch.zeros(1, 6, 4), torch.zeros(1, 6, 5, 2)
    for figure, (x, size) in enumerate([(0.25, 0.4), (0.75, 0.1)]):
        boxes[0, figure] = torch.tensor([x - size / 2, 0.5 - size / 2, x + size / 2, 0.5 + size / 2])
        offsets = torch.tensor([[-0.2, -0.1], [0.2, -0.1], [0.0, 0.05], [-0.15, 0.25], [0.15, 0.25]])
        points[0, figure] = torch.tensor([x, 0.5]) + offsets * size

    weight = feature_weight(points, boxes, 128, 9.0)[0, 0]

    mouth, forehead, corner = (int((0.5 + 0.25 * 0.4) * 128), 32), (48, 32), (2, 2)
    assert weight[mouth] > 8
    assert 1 < weight[forehead] < 3
    assert weight[corner] == 1
    assert weight[:, 64:].max() > 4 * weight[:, :64].max()


def perfect_outputs(boxes, points, visible):
    """What a detector that knows everything would say: every anchor answers for the nearest face there is."""
    outputs = []
    for stride in STRIDES:
        line = torch.arange(SIDE // stride) * float(stride)
        anchor = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2).repeat_interleave(ANCHORS, 0)
        centre = (boxes[..., :2] + boxes[..., 2:]) / 2
        apart = (anchor[None, :, None] - centre[:, None]).norm(dim=-1) + 1e9 * (visible[:, None] < 0.35)
        face = apart.argmin(-1)
        box = torch.stack([b[f] for b, f in zip(boxes, face, strict=True)])
        point = torch.stack([p[f] for p, f in zip(points, face, strict=True)])
        distance = torch.cat([anchor - box[..., :2], box[..., 2:] - anchor], -1) / stride
        offset = ((point - anchor[None, :, None]) / stride).flatten(2)
        outputs.append((torch.full((*face.shape, 1), -20.0), distance, offset))
    return outputs


def faces():
    drawn = render(random_scenes(6, 2, torch.Generator().manual_seed(0), props=0.0), 64)
    return drawn.face_box * SIDE, drawn.key_points * SIDE, drawn.visible


def test_perfect_boxes_and_points_leave_only_the_missing_scores():
    boxes, points, visible = faces()
    outputs = perfect_outputs(boxes, points, visible)
    worse = [(scores, distances + 1, offsets) for scores, distances, offsets in outputs]

    loss = detection_loss(outputs, boxes, points, visible)

    # Focal loss of a positive with a logit of -20 is 20, times 4; each positive is divided by their number.
    assert loss == pytest.approx(80, rel=0.01)
    assert detection_loss(worse, boxes, points, visible) > loss + 1


def test_hidden_faces_are_neither_asked_for_nor_forbidden():
    boxes, points, visible = faces()
    outputs = perfect_outputs(boxes, points, visible)
    found = [(torch.full_like(scores, 20.0), *rest) for scores, *rest in outputs]
    nobody, little, all_hidden = torch.zeros_like(visible), visible * 0 + 0.2, visible * 0 + 0.05

    everywhere = detection_loss(found, boxes, points, nobody)

    assert detection_loss(found, boxes, points, all_hidden) == everywhere
    assert detection_loss(found, boxes, points, little) < everywhere


def test_the_detector_speaks_of_every_anchor():
    outputs = Detector().eval()(torch.zeros(1, 3, SIDE, SIDE))

    for (scores, boxes, points), stride in zip(outputs, STRIDES, strict=True):
        anchors = ANCHORS * (SIDE // stride) ** 2
        assert scores.shape == (1, anchors, 1)
        assert boxes.shape == (1, anchors, 4)
        assert points.shape == (1, anchors, 10)


def test_silhouettes_are_brighter_where_somebody_is_nearer_and_dark_where_nobody_is():
    place = torch.tensor([[[0.3, 0.4, 0.15], [0.7, 0.4, 0.15], [0.0, 0.0, 0.0]]])
    planes, kind = torch.tensor([[0.8, 0.4, 0.3]]), torch.tensor([[0, 1, 0]])

    hint = silhouettes(place, planes, kind, 64)

    assert hint.shape == (1, 1, 64, 64)
    near, far, nobody = hint[0, 0, 25, 19], hint[0, 0, 34, 44], hint[0, 0, 2, 2]
    assert near > far > nobody
    assert hint[0, 0, 60, 19] == near  # people stand; a ball does not reach down
    assert hint[0, 0, 60, 44] < far


def test_a_nearer_silhouette_covers_a_farther_one():
    place = torch.tensor([[[0.5, 0.4, 0.2], [0.5, 0.4, 0.2]]])

    hint = silhouettes(place, torch.tensor([[0.5, 0.8]]), torch.zeros(1, 2, dtype=torch.long), 32)

    assert hint.max() == pytest.approx(0.8)
    assert not ((hint > 0.4) & (hint < 0.7)).any()


def test_planes_of_a_drawn_layout_follow_the_order_alone():
    place = torch.tensor([[[0.2, 0.4, 0.1], [0.5, 0.4, 0.1], [0.8, 0.4, 0.1], [0.0, 0.0, 0.0]]])

    planes = even_planes(place, torch.tensor([[0.31, 0.9, 0.3, 0.0]]))

    assert planes[0, :3].tolist() == pytest.approx([0.65, 0.85, 0.45])
    assert even_planes(place[:, 1:2], torch.tensor([[0.2]])).item() == pytest.approx(0.85)


def test_places_where_one_stands_before_another_count_more():
    place, kind = torch.tensor([[[0.35, 0.4, 0.2], [0.65, 0.4, 0.2]]]), torch.zeros(1, 2, dtype=torch.long)

    weight = overlap_weight(place, kind, 16)

    assert weight.shape == (1, 1, 16, 16)
    assert weight[0, 0, 14, 8] == OVERLAPS
    assert weight[0, 0, 14, 2] == weight[0, 0, 0, 8] == 1
