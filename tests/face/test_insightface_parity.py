"""The same files give the same faces here as in the insightface library."""

import numpy as np
import pytest
from pack.face import insightface_engine
from pack.face.alignment import aligned_crop, similarity_transform, template
from pack.face.landmarks import landmarks_of
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.tests.face.onnx_packs import with_half_input, write_106_points, write_random_detector, write_recogniser

pytest.importorskip("insightface", reason="the insightface library is an optional extra")

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module", params=[(None, None), (256, 256), (320, 192)], ids=["any", "256x256", "320x192"])
def pack_folder(request, tmp_path_factory):
    """A pack whose detector takes any size, or one of its own."""
    folder = tmp_path_factory.mktemp("parity")
    write_random_detector(folder / "det.onnx", size=request.param)
    write_recogniser(folder / "rec.onnx")
    return folder


def photo(height, width, seed=0):
    """Smooth random colours, so that resizing keeps something to detect."""
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("height", "width"), [(128, 128), (480, 640), (1024, 700), (333, 1001)])
def test_boxes_key_points_and_embeddings_agree(pack_folder, height, width):
    from insightface.app import FaceAnalysis

    theirs = FaceAnalysis(str(pack_folder), providers=["CPUExecutionProvider"])
    theirs.prepare(ctx_id=-1, det_size=(640, 640))
    ours = load_engine(read_pack("parity", pack_folder), "CPU")
    picture = photo(height, width)

    expected = theirs.get(np.ascontiguousarray(picture[..., ::-1]))
    found = ours.detect(picture)

    assert len(found) == len(expected) > 0
    for mine in found:
        other = min(expected, key=lambda face: np.abs(mine.bbox - face.bbox).max())
        np.testing.assert_allclose(mine.bbox, other.bbox, atol=0.01)
        np.testing.assert_allclose(mine.keypoints, other.kps, atol=0.01)
        assert mine.score == pytest.approx(float(other.det_score), abs=1e-5)
        cosine = mine.embedding @ other.embedding / np.linalg.norm(mine.embedding) / np.linalg.norm(other.embedding)
        assert cosine >= 0.9999


def test_a_graph_that_normalises_itself_agrees(tmp_path):
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    write_random_detector(tmp_path / "det.onnx")
    path = write_recogniser(tmp_path / "rec.onnx", normalises=True)
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)

    expected = ArcFaceONNX(str(path)).get_feat(np.ascontiguousarray(crop[..., ::-1]))
    ours = load_engine(read_pack("own", tmp_path), "CPU").embed(crop[None])

    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [112, 224, 256, 512])
def test_alignment_agrees(size):
    from insightface.utils import face_align

    keypoints = (template(112) * 1.7 + np.random.default_rng(size).normal(0, 4, (5, 2)) + [60, 40]).astype(np.float32)
    picture = photo(400, 400)

    expected = face_align.norm_crop(picture, keypoints, image_size=size)

    np.testing.assert_allclose(
        similarity_transform(keypoints, template(size)), face_align.estimate_norm(keypoints, size), atol=1e-4
    )
    assert np.abs(aligned_crop(picture, keypoints, size).astype(int) - expected).max() <= 1


def test_the_library_as_an_engine_finds_the_same_at_every_size_and_threshold(tmp_path):
    write_random_detector(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx")
    pack = read_pack("parity", tmp_path)
    ours, theirs = load_engine(pack, "CPU"), insightface_engine.load_engine(pack, "CPU")
    picture = photo(480, 640)

    for size, threshold in (((640, 640), 0.5), ((320, 320), 0.5), ((320, 192), 0.3)):
        mine, other = (engine.locate(picture, size, threshold) for engine in (ours, theirs))
        assert len(mine.boxes) == len(other.boxes) > 0
        np.testing.assert_allclose(mine.boxes, other.boxes, atol=0.01)
        np.testing.assert_allclose(mine.scores, other.scores, atol=1e-5)
    assert ours.recogniser == theirs.recogniser
    assert ours.fingerprint != theirs.fingerprint
    crops = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    np.testing.assert_allclose(ours.embed(crops), theirs.embed(crops), atol=1e-4)


@pytest.mark.parametrize("normalises", [False, True])
def test_landmarks_agree(tmp_path, normalises):
    from insightface.app.common import Face
    from insightface.model_zoo.landmark import Landmark

    file = write_106_points(tmp_path / "points.onnx", normalises=normalises)
    picture, box = photo(480, 640), np.float32([210.5, 100, 330, 260.25])
    theirs = Landmark(str(file))

    expected = theirs.get(np.ascontiguousarray(picture[..., ::-1]), Face(bbox=box))

    np.testing.assert_allclose(landmarks_of(file, "parity", picture, box), expected, atol=0.02)


@pytest.mark.parametrize("halved", ["det.onnx", "rec.onnx"])
def test_half_precision_is_read_here_and_refused_in_words_with_the_library(tmp_path, halved):
    write_random_detector(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx")
    picture = photo(256, 256)
    whole = load_engine(read_pack("whole", tmp_path), "CPU").detect(picture)
    path = with_half_input(tmp_path / halved)
    pack = read_pack("half", tmp_path)

    found = load_engine(pack, "CPU").detect(picture)

    assert len(found) > len(whole) / 2
    with pytest.raises(ValueError, match=rf"{path} takes .*fp16.*'built-in'"):
        insightface_engine.load_engine(pack, "CPU")
