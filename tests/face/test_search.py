"""Detection that does not give up: where each pass shows the picture, what ends a search, and what it finds."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face.alignment import TEMPLATE_112
from pack.face.detector import Detections
from pack.face.engine import Search
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.face.passes import DetectionPass, fallback_passes, larger_passes, points_on_picture, views
from pack.face.search import find_faces, usable, with_more
from pack.face.turns import CANVAS, TURNS
from pack.tests.face.onnx_packs import red_squares, write_random_detector, write_recogniser

DEMO = Path(__file__).parents[2] / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
SIZES = [(256, 256), (320, 192)]


@pytest.fixture(scope="module")
def demo():
    return load_engine(read_pack("troupe-demo", DEMO), "CPU")


def demo_photo(name="Ada", size=256):
    return (photo_of(name, size).numpy() * 255).round().astype(np.uint8)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("picture", [(400, 250), (130, 300), (700, 700)])
def test_every_pass_knows_where_on_the_picture_it_looks(fixed, size, picture):
    height, width = picture
    image = np.zeros((height, width, 3), np.uint8)
    spot = np.array([width * 0.7, height * 0.25])
    cv2.circle(image, (round(spot[0]), round(spot[1])), 9, (0, 200, 0), -1)

    for look in fallback_passes(size, (width, height)):
        seen = []
        for view in views(image, look, size, fixed):
            assert (view.canvas.shape[1::-1] == size) if fixed else view.canvas.shape[0] % 32 == 0
            green = view.canvas[..., 1].astype(float) * (view.canvas[..., 0] < 100)
            if green.sum() > 3.14 * 0.95 * 200 * 81 * np.prod(view.scale):  # all of the spot
                middle = np.array([(green * grid).sum() for grid in np.mgrid[: green.shape[0], : green.shape[1]]])[::-1]
                seen.append(points_on_picture(middle / green.sum() + 0.5, view, look.degrees, (width, height)))
        assert seen, look
        np.testing.assert_allclose(seen, [spot + 0.5] * len(seen), atol=2, err_msg=str(look))


def test_small_pictures_are_not_blown_up():
    assert any(look.zoom > 1 for look in fallback_passes((256, 256), (512, 300)))
    assert not any(look.zoom > 1 for look in fallback_passes((256, 256), (64, 64)))


def test_quarter_turns_come_last_and_the_plain_pass_is_left_to_the_engine():
    tried = list(fallback_passes((640, 640), (2000, 1500)))

    assert tried[0] == DetectionPass("at 448", 0.7)
    assert [look.degrees > 0 for look in tried] == sorted(look.degrees > 0 for look in tried)
    assert {look.degrees for look in tried} == {0, 45, 90, 180, 270, 315}


def test_a_face_too_small_for_one_pass_is_found_in_tiles_where_it_is(engine):
    picture = red_squares(512, 512, (300, 201, 24))

    assert find_faces(engine, picture, Search(fallback=False)).faces == []
    found = find_faces(engine, picture)
    assert found.tried == ("at 256x256",)  # one pass is what others get who do not ask
    found = find_faces(engine, picture, Search())

    assert found.tried[0] == "at 256x256"
    assert found.found in ("at 512", "at 768")
    assert len(found.faces) == 1
    np.testing.assert_allclose(found.faces[0].bbox, [300, 201, 324, 225], atol=8)


def test_one_pass_that_finds_somebody_upright_is_enough_and_is_what_one_pass_alone_gives(demo):
    found = find_faces(demo, demo_photo(), Search())

    assert (found.tried, found.sure) == (("at 256x256",), True)
    assert np.array_equal(found.faces[0].embedding, find_faces(demo, demo_photo()).faces[0].embedding)


def test_a_larger_pass_adds_the_small_faces_that_one_pass_overlooks_behind_those_it_found(engine):
    picture = red_squares(512, 512, (64, 64, 64), (300, 201, 24))
    found = find_faces(engine, picture).faces

    passes = larger_passes(engine.size, (512, 512))
    more = next(faces for how in passes if len(faces := with_more(engine, picture, found, how)) > len(found))

    assert (len(found), more[0] is found[0]) == (1, True)
    np.testing.assert_allclose(more[1].bbox, [300, 201, 324, 225], atol=8)


def test_a_higher_threshold_finds_less(engine):
    picture = red_squares(256, 256, (96, 96, 32), (170, 40, 30))

    scores = [face.score for face in find_faces(engine, picture, Search(0.05)).faces]
    surest = find_faces(engine, picture, Search(max(scores) - 1e-4)).faces

    assert len(scores) > len(surest) >= 1


@pytest.mark.parametrize("threshold", [0, -1, 1.5, float("nan")])
def test_a_threshold_that_means_nothing_is_refused(engine, threshold):
    with pytest.raises(ValueError, match="threshold of face detection"):
        find_faces(engine, np.zeros((64, 64, 3), np.uint8), Search(threshold))


@pytest.mark.parametrize("turns", [1, 2])
def test_a_turned_photo_gives_the_face_and_embedding_of_the_upright_one(demo, turns):
    upright = demo_photo()
    (expected,) = find_faces(demo, upright).faces
    turned = np.ascontiguousarray(np.rot90(upright, turns))

    found = find_faces(demo, turned, Search())

    assert cosine(found.faces[0].embedding, expected.embedding) > 0.98
    centre = (found.faces[0].bbox[:2] + found.faces[0].bbox[2:]) / 2 - 128
    before = (expected.bbox[:2] + expected.bbox[2:]) / 2 - 128
    x, y = {1: (before[1], -before[0]), 2: (-before[0], -before[1]), 3: (-before[1], before[0])}[turns]
    np.testing.assert_allclose(centre, [x, y], atol=6)


def test_a_close_up_is_found_at_a_smaller_size(demo):
    (face,) = find_faces(demo, demo_photo(size=512)).faces
    x0, y0, x1, y1 = face.bbox.round().astype(int)
    close = demo_photo(size=512)[y0:y1, x0:x1]

    found = find_faces(demo, close, Search())

    assert found.found != "at 256x256"
    assert cosine(found.faces[0].embedding, face.embedding) > 0.4  # of strangers, one pair in 150


class Scripted:
    """A detector that knows a face of some score and turn in each pass, at places of their own.

    passes : (score, the turn by which the face would score higher still)
    """

    size, fixed_size, cache, name = (64, 64), False, None, "scripted"

    def __init__(self, *passes):
        self.passes, self.calls = passes, 0

    def locate(self, image, size, threshold):
        if size == CANVAS:
            score, turn = self.passes[self.calls - 1]
            tiles = [TURNS.index(0), TURNS.index(turn)] if score else []
            corners = np.array([divmod(tile, 3)[::-1] for tile in tiles], np.float32).reshape(-1, 2) * (CANVAS[0] // 3)
            boxes = np.concatenate([corners + 20, corners + 40], 1)
            scores = np.array([score * 0.8, score], np.float32)[: len(tiles)]
            return Detections(boxes, scores, np.zeros((len(tiles), 5, 2), np.float32))
        score = self.passes[self.calls][0] if self.calls < len(self.passes) else 0
        at, self.calls = 10.0 * self.calls, self.calls + 1
        boxes = np.array([[at, 0, at + 8, 8]] * (score > 0), np.float32).reshape(-1, 4)
        points = (TEMPLATE_112[None] / 14 + [at, 0]).astype(np.float32)[: len(boxes)]
        return Detections(boxes, np.full(len(boxes), score, np.float32), points)

    def embed(self, crops):
        return np.zeros((len(crops), 4), np.float32)


@pytest.mark.parametrize(
    ("passes", "calls", "found", "sure"),
    [
        ([(0.95, 0)], 1, "at 64x64", True),
        ([(0.65, 0)], 1, "at 64x64", True),  # as published detectors score: the scale decides nothing
        ([(0.9, 90), (0.7, 0)], 2, "turned by 90 degrees", True),  # the turn that the face asks for comes first
        ([(0.0, 0), (0.7, 0)], 2, "at 45", True),
        ([(0.55, 0), (0.7, 0)], 2, "at 45", True),
        ([(0.9, 180), (0.91, 180)], None, "at 64x64", False),  # surer by less than 0.03
        ([(0.6, 180), (0.91, 180)], None, "turned by 180 degrees", False),
    ],
)
def test_a_face_that_stands_upright_ends_the_search_and_another_stands_unless_a_later_one_is_surer(
    passes, calls, found, sure
):
    detector = Scripted(*passes)

    finding = find_faces(detector, np.zeros((64, 64, 3), np.uint8), Search())

    assert (finding.found, finding.sure, len(finding.faces)) == (found, sure, 1)  # of one pass alone
    assert detector.calls == calls or (calls is None and detector.calls > 5)


def test_a_detector_of_any_size_gets_each_look_at_its_own_size(tmp_path):
    write_random_detector(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx")
    free = load_engine(read_pack("free", tmp_path), "CPU")
    assert (free.size, free.fixed_size) == ((640, 640), False)

    found = find_faces(free, np.zeros((480, 640, 3), np.uint8), Search(0.999))

    assert found.faces == []
    assert found.tried[:4] == ("at 640x640", "at 448", "at 320", "at 192")
    assert found.tried[-1] == "turned by 180 degrees at 320"


def test_faces_that_cannot_be_aligned_are_left_out():
    boxes = np.array([[0, 0, 9, 9], [0, 0, np.nan, 9], [5, 5, 5, 9], [0, 0, 9, 9]], np.float32)
    points = np.arange(40, dtype=np.float32).reshape(4, 5, 2)
    points[3] = 4.0

    assert len(usable(Detections(boxes, np.ones(4, np.float32), points)).boxes) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (7, 5)])
def test_tiny_pictures_are_looked_at_without_harm(demo, shape):
    assert find_faces(demo, np.full((*shape, 3), 128, np.uint8), Search()).faces == []
