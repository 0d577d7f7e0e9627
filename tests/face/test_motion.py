"""What faces do: landmarks from the pack, front or side from key points, and the sentences of the training."""

import numpy as np
import pytest
from pack.face.alignment import TEMPLATE_112
from pack.face.landmarks import landmarks_of
from pack.face.motion import OUT, Motion, Reconfiguration, motion_of, reconfigured, sentence, view_of, yaw
from pack.face.pack import read_pack
from pack.tests.face.onnx_packs import write_106_points, write_recogniser, write_square_detector


def turned(degrees, smile=0.0):
    """Key points of an average face turned aside; a smile lifts and widens the mouth."""
    eyes = np.linalg.norm(TEMPLATE_112[1] - TEMPLATE_112[0])
    face = np.concatenate([TEMPLATE_112 / eyes, -OUT[:, None]], 1)
    face[3:, 1] -= smile
    face[3:, 0] += smile * (face[3:, 0] - face[3:, 0].mean())
    across = np.array([np.cos(np.radians(degrees)), 0, np.sin(np.radians(degrees))])
    return np.stack([face @ across, face[:, 1]], 1) * 40 + 100


def pack_of(folder, landmarks=True):
    write_square_detector(folder / "a.onnx")
    write_recogniser(folder / "b.onnx")
    if landmarks:
        write_106_points(folder / "c.onnx")
    return read_pack("motion", folder)


def test_a_pack_keeps_its_landmark_model_and_one_without_is_told_of(tmp_path):
    with_model, without = pack_of(tmp_path / "with"), pack_of(tmp_path / "without", landmarks=False)
    photo, box = np.zeros((50, 80, 3), np.uint8), np.float32([10, 10, 40, 40])

    assert with_model.landmarks.name == "c.onnx"
    assert landmarks_of(with_model.landmarks, "motion", photo, box).shape == (106, 2)
    with pytest.raises(ValueError, match=r"'motion' has no landmark model of 106 points.*2d106det\.onnx"):
        landmarks_of(without.landmarks, "motion", photo, box)


def test_landmarks_of_a_motion_are_fractions_of_the_photo(tmp_path):
    file = pack_of(tmp_path).landmarks
    photo = np.random.default_rng(0).integers(0, 255, (50, 80, 3), dtype=np.uint8)
    box = np.float32([10, 10, 40, 40])

    motion = motion_of(file, "motion", photo, box, turned(30))

    np.testing.assert_allclose(motion.landmarks * [80, 50], landmarks_of(file, "motion", photo, box), rtol=1e-5)
    assert motion.view == "side"


@pytest.mark.parametrize("smile", [0.0, 0.15])
@pytest.mark.parametrize("degrees", [-40, -15, 0, 5, 15, 40])
def test_a_face_is_seen_from_the_side_when_it_is_turned_whatever_its_mouth_does(degrees, smile):
    points = turned(degrees, smile)

    assert abs(yaw(points)) == pytest.approx(abs(degrees), abs=3)
    assert view_of(points) == ("side" if abs(degrees) > 10 else "front")


def test_sentences_are_those_of_the_published_training():
    assert sentence("happy", "front") == "in a happy expression, in front view"
    assert sentence("sad", "side") == "in a sad expression, in side view"
    assert sentence("fear", "up") == "in a fear expression, facing up, in front view"


def test_faces_keep_their_own_points_or_take_those_of_another_photo():
    points = np.random.default_rng(0).uniform(size=(3, 106, 2)).astype(np.float32)
    words = np.zeros((2, 2, 4), np.float32)
    sources = [Motion(points[0]), Motion(points[1], "side")]

    own, taken = (reconfigured(sources, target, words, 0.5, "x") for target in (None, Motion(points[2])))

    assert np.array_equal(own.landmarks[:, 0], own.landmarks[:, 1])
    assert np.array_equal(taken.landmarks[:, 0], points[:2])
    assert np.array_equal(taken.landmarks[:, 1], points[[2, 2]])
    assert own.strength.tolist() == [0.5, 0.5]


def test_numbers_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="for P strengths, got"):
        Reconfiguration(np.zeros((2, 2, 106, 2)), np.zeros((1, 2, 4)), np.zeros(2))
