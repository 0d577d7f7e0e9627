"""The demo's trained packs on rendered people no training saw: found where they are, and told apart."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pack.demo.people import new_identities
from pack.demo.renderer import render
from pack.demo.scenes import photos, random_scenes
from pack.face.identity import described_by, identity_from_faces, normed_embedding
from pack.face.onnx_engine import load_engine
from pack.face.pack import find_packs, read_pack
from pack.face.selection import Selection, select_face

PACKS = ("troupe-demo", "troupe-demo-scorer")
PEOPLE = 24
SEED = 77_001


def load(name):
    folder = find_packs([Path(__file__).parents[2] / "demo" / "weights" / "insightface"])[name]
    return load_engine(read_pack(name, folder), "CPU")


@pytest.fixture(scope="module")
def engines():
    return {name: load(name) for name in PACKS}


def to_pixels(rendered):
    """uint8 [S, S, 3] each, from [B, 3, S, S] in 0..1."""
    return list((rendered.picture * 255).round().byte().permute(0, 2, 3, 1).numpy())


@pytest.fixture(scope="module")
def people():
    """Two photos of each of PEOPLE, in two lists, and the boxes where the renderer drew the faces of the first."""
    generator = torch.Generator().manual_seed(SEED)
    identities = new_identities(PEOPLE, generator)
    first, second = (render(photos(identities, generator), 128) for _ in range(2))
    return to_pixels(first), to_pixels(second), first.face_box[:, 0].numpy() * 128


@pytest.fixture(scope="module")
def found(engines, people):
    """Per pack, the faces of all first and all second photos."""
    return {
        name: [[engine.detect(photo) for photo in pictures] for pictures in people[:2]]
        for name, engine in engines.items()
    }


def overlap(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def rank_one(similarity):
    return np.mean(similarity.argmax(1) == np.arange(len(similarity)))


@pytest.mark.parametrize("name", PACKS)
def test_one_face_is_found_where_it_was_drawn(found, people, name):
    hits = [
        len(faces) == 1 and overlap(faces[0].bbox, box) > 0.5
        for faces, box in zip(found[name][0], people[2], strict=True)
    ]

    assert np.mean(hits) >= 0.9


def test_an_enlarged_picture_shows_the_same_faces(engines, found, people):
    for photo, faces in list(zip(people[0], found["troupe-demo"][0], strict=True))[:6]:
        enlarged = engines["troupe-demo"].detect(cv2.resize(photo, (1024, 1024), interpolation=cv2.INTER_CUBIC))

        assert len(enlarged) == len(faces)
        assert all(overlap(a.bbox / 8, b.bbox) > 0.8 for a, b in zip(enlarged, faces, strict=True))


@pytest.mark.parametrize("name", PACKS)
def test_two_photos_of_one_person_are_closer_than_of_two(found, name):
    def directions(photos):
        rows = [faces[0].embedding if faces else np.zeros(512, np.float32) for faces in photos]
        return np.stack([row / max(np.linalg.norm(row), 1e-9) for row in rows])

    first, second = found[name]
    similarity = directions(first) @ directions(second).T

    assert similarity.diagonal().mean() > similarity[~np.eye(PEOPLE, dtype=bool)].mean() + 0.4
    assert rank_one(similarity) >= 0.85


def test_another_recogniser_tells_people_apart_by_the_crops_an_identity_keeps(engines, found):
    judge = engines["troupe-demo-scorer"]
    feeding = engines["troupe-demo"].recogniser
    pairs = [(a, b) for a, b in zip(*found["troupe-demo"], strict=True) if a and b]
    vectors = [
        [
            normed_embedding(described_by(identity_from_faces("x", [faces[0]], feeding), judge), judge.recogniser)
            for faces in photos
        ]
        for photos in zip(*pairs, strict=True)
    ]

    assert rank_one(np.stack(vectors[0]) @ np.stack(vectors[1]).T) >= 0.85


def test_several_people_in_one_picture_are_found_left_and_right(engines):
    generator = torch.Generator().manual_seed(SEED + 1)
    rendered = render(random_scenes(12, 2, generator, props=0.0), 128)
    right = []
    for picture, visible, boxes in zip(to_pixels(rendered), rendered.visible, rendered.face_box, strict=True):
        faces = engines["troupe-demo"].detect(picture)
        left = boxes[boxes[:, 0].argmin()].numpy() * 128
        right.append(
            len(faces) == int((visible > 0.3).sum())
            and overlap(faces[select_face(faces, Selection("leftmost"), (128, 128))].bbox, left) > 0.5
        )

    assert np.mean(right) >= 0.8


def test_things_that_are_no_people_have_no_face(engines):
    generator = torch.Generator().manual_seed(SEED + 2)
    things = [render(photos(new_identities(6, generator), generator, kind=kind), 128) for kind in (1, 2)]

    found = [len(engines["troupe-demo"].detect(picture)) for rendered in things for picture in to_pixels(rendered)]

    assert np.mean(np.array(found) == 0) >= 0.8
