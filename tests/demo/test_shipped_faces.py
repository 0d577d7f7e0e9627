"""The face packs and the reader that ship: they find, tell apart and read people whom they were not trained on.

The bounds lie well below what was measured when the weights were made: they catch a broken file or swapped channels.
"""

import numpy as np
import onnxruntime
import pytest
import torch
from pack.demo.people_by_name import NAMES, photo_of, scene_of
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.demo.train.alignment import person_crops
from pack.demo.train.reader import reader_parts
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.tests.conftest import ROOT

WEIGHTS = ROOT / "demo" / "weights"
PACKS = ("troupe-demo", "troupe-demo-scorer")


@pytest.fixture(scope="module", params=PACKS)
def engine(request):
    folder = WEIGHTS / "insightface" / "models" / request.param
    return load_engine(read_pack(request.param, folder), "CPU")


def as_bytes(picture):
    """[H, W, 3] in 0..1 to uint8."""
    return (picture * 255).round().byte().numpy()


@pytest.fixture(scope="module")
def photos():
    """Two photos of everybody with a name."""
    return [[as_bytes(photo_of(name, number=number)) for number in (0, 1)] for name in NAMES]


def test_a_photo_has_one_face_and_it_is_the_persons(engine, photos):
    for name, pair in zip(NAMES, photos, strict=True):
        for number, photo in enumerate(pair):
            faces, truth = engine.detect(photo), render(scene_of(name, number), 256)
            points, (_, top, _, bottom) = truth.key_points[0, 0].numpy() * 256, truth.face_box[0, 0].numpy() * 256
            assert np.abs(faces[0].keypoints - points).max() < 0.2 * (bottom - top)
            assert len(faces) == 1  # no part of a face passes for another one


def test_people_resemble_themselves_most(engine, photos):
    rows = np.stack([[engine.detect(photo)[0].embedding for photo in pair] for pair in photos])
    rows = rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    similarity = rows[:, 0] @ rows[:, 1].T

    own, others = similarity.diagonal(), similarity[~np.eye(len(NAMES), dtype=bool)]
    assert (similarity.argmax(1) == np.arange(len(NAMES))).mean() > 0.7
    assert own.mean() > 0.6
    assert others.mean() < 0.3


def test_everybody_in_a_group_is_found_where_they_stand(engine):
    scenes = [
        random_scenes(4, figures, torch.Generator().manual_seed(500 + figures), props=0.0) for figures in (2, 3, 4)
    ]
    found = wanted = 0
    for drawn in (render(scene, 128) for scene in scenes):
        for picture, boxes, points in zip(drawn.picture, drawn.face_box * 128, drawn.key_points * 128, strict=True):
            faces = engine.detect(as_bytes(picture.permute(1, 2, 0)))
            wanted += len(boxes)
            for box, point in zip(boxes.numpy(), points.numpy(), strict=True):
                height = box[3] - box[1]
                apart = [np.abs(face.keypoints - point).max() for face in faces]
                found += min(apart, default=np.inf) < 0.35 * height

    assert found > 0.85 * wanted


def test_the_reader_reads_expression_look_and_shirt():
    scene = random_scenes(120, 2, torch.Generator().manual_seed(600), props=0.0)
    drawn = render(scene, 128)
    crops = person_crops(drawn.picture, drawn.face_box[:, 0]) * 2 - 1
    session = onnxruntime.InferenceSession(str(WEIGHTS / "reader.onnx"), providers=["CPUExecutionProvider"])

    logits = torch.from_numpy(session.run(None, {"person": crops.numpy()})[0])

    clear = drawn.visible[:, 0] > 0.9
    for part, truth in zip(reader_parts(logits), (scene.expression, scene.look, scene.shirt), strict=True):
        assert (part.argmax(1) == truth[:, 0])[clear].float().mean() > 0.85
