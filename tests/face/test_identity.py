"""From photos to one person: which face is taken, what is kept, and what is said when there is none."""

import numpy as np
import pytest
from pack.face.engine import Face, NoFaceFound
from pack.face.extraction import extract_identity
from pack.face.identity import described_by, identity_from_faces, normed_embedding, unit
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.face.selection import COSTS, Selection, select_face
from pack.tests.face.onnx_packs import red_squares, write_recogniser


def face(bbox, score=0.9, embedding=(1.0, 0.0)):
    keypoints = np.zeros((5, 2), np.float32)
    crop = np.zeros((112, 112, 3), np.uint8)
    return Face(np.array(bbox, np.float32), score, keypoints, np.array(embedding, np.float32), crop)


GROUP = [face([0, 0, 60, 60]), face([80, 80, 120, 120], 0.7), face([150, 10, 190, 40], 0.95)]


@pytest.mark.parametrize(
    ("policy", "index"), [("largest", 0), ("most central", 1), ("highest score", 2), ("leftmost", 0), ("rightmost", 2)]
)
def test_each_policy_takes_its_face(policy, index):
    assert select_face(GROUP, Selection(policy), (200, 200)) == index


@pytest.mark.parametrize("policy", COSTS)
def test_of_equal_faces_the_first_is_taken(policy):
    assert select_face([GROUP[0], GROUP[0]], Selection(policy), (200, 200)) == 0


def test_an_unknown_policy_lists_those_that_exist():
    with pytest.raises(ValueError, match=r"'prettiest'.*largest, most central"):
        select_face(GROUP, Selection("prettiest"), (200, 200))


def test_the_chosen_face_of_every_photo_becomes_the_identity(engine):
    photos = [red_squares(256, 256, (16, 16, 32), (160, 160, 32)), red_squares(256, 256, (96, 96, 32))]

    result = extract_identity(engine, photos, " Ada ", Selection("rightmost"))

    identity = result.identity
    assert identity.name == "Ada"
    assert [len(found) for found in result.faces] == [2, 1]
    assert identity.boxes[0][0] > 100
    assert identity.embeddings[engine.recogniser].shape == (2, 512)
    assert identity.crops.shape == (2, 112, 112, 3)
    assert identity.keypoints.shape == (2, 5, 2)
    assert np.array_equal(identity.crops[1], result.faces[1][0].crop)


def test_a_photo_without_a_face_is_named_with_its_size_and_what_was_tried(engine):
    photos = [red_squares(256, 256, (96, 96, 32)), np.zeros((90, 70, 3), np.uint8)]

    with pytest.raises(NoFaceFound, match=r"photo 2 of 2 of 'Ada' \(70x90 pixels\).*'squares' at 256x256.*Use a photo"):
        extract_identity(engine, photos, "Ada")


def test_an_identity_needs_a_name_and_a_photo(engine):
    with pytest.raises(ValueError, match="has no name"):
        extract_identity(engine, [np.zeros((64, 64, 3), np.uint8)], "  ")
    with pytest.raises(ValueError, match="No photo"):
        extract_identity(engine, [], "Ada")
    with pytest.raises(ValueError, match="at least one face"):
        identity_from_faces("Ada", [], "r")


def test_a_long_embedding_counts_no_more_than_a_short_one():
    ada = identity_from_faces(
        "Ada", [face([0, 0, 1, 1], embedding=(100, 0)), face([0, 0, 1, 1], embedding=(0, 1))], "r"
    )

    np.testing.assert_allclose(normed_embedding(ada, "r"), [0.5**0.5] * 2, rtol=1e-6)


def test_photos_that_cancel_out_are_refused():
    two = identity_from_faces("Ada", [face([0, 0, 1, 1], embedding=(1, 0)), face([0, 0, 1, 1], embedding=(-1, 0))], "r")

    with pytest.raises(ValueError, match="'Ada' point in opposite directions"):
        normed_embedding(two, "r")


def test_an_unknown_recogniser_is_named_beside_those_there_are():
    ada = identity_from_faces("Ada", [face([0, 0, 1, 1])], "r1")

    with pytest.raises(ValueError, match=r"'Ada' has no embedding of recogniser r2 \(it has: r1\)"):
        normed_embedding(ada, "r2")


@pytest.mark.parametrize("vector", [np.zeros(4), np.array([1, np.nan]), np.array([np.inf, 1])])
def test_an_embedding_without_a_direction_is_refused(vector):
    with pytest.raises(ValueError, match="has no direction"):
        unit(vector)


def test_another_recogniser_describes_the_person_from_the_stored_crops(engine, square_pack, tmp_path):
    (tmp_path / "a.onnx").write_bytes((square_pack / "a.onnx").read_bytes())
    write_recogniser(tmp_path / "b.onnx", seed=7)
    other = load_engine(read_pack("other", tmp_path), "CPU")
    photos = [red_squares(256, 256, (96, 96, 32)), red_squares(256, 256, (40, 96, 32))]
    identity = extract_identity(engine, photos, "Ada").identity

    both = described_by(identity, other)

    assert set(both.embeddings) == {engine.recogniser, other.recogniser}
    assert set(identity.embeddings) == {engine.recogniser}
    assert described_by(both, other) is both
    expected = extract_identity(other, photos, "Ada").identity.embeddings[other.recogniser]
    np.testing.assert_allclose(both.embeddings[other.recogniser], expected, atol=1e-5)


def test_as_text_an_identity_is_its_name_and_nothing_of_the_face(engine):
    result = extract_identity(engine, [red_squares(256, 256, (96, 96, 32))], "Ada")

    assert repr(result.identity) == "Identity(name='Ada')"
    assert "embedding" not in repr(result.faces)
    assert "crop" not in repr(result.faces)
