"""Faces in the dark: found and recognised when brightened, and nothing else is changed."""

import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face import insightface_engine, onnx_engine
from pack.face.engine import ONE_PASS, Search
from pack.face.light import brightened, brightest, is_dim, well_lit
from pack.face.pack import read_pack
from pack.face.passes import fallback_passes
from pack.face.search import find_faces
from pack.scripts.bootstrap.places import ROOT

PACK = read_pack("troupe-demo", ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo")


@pytest.fixture(scope="module")
def engine():
    return onnx_engine.load_engine(PACK, "CPU")


def ben():
    return (photo_of("Ben", 512).numpy() * 255).round().astype(np.uint8)


def in_the_dark():
    noise = np.random.default_rng(4).normal(0, 3, (512, 512, 3))
    return (ben() / 7 + noise).clip(0, 255).round().astype(np.uint8)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_face_in_the_dark_is_found_and_recognised_and_the_words_say_how(engine):
    (expected,) = find_faces(engine, ben(), Search()).faces
    picture = in_the_dark()

    assert find_faces(engine, picture, ONE_PASS).faces == []
    found = find_faces(engine, picture, Search())

    assert found.found.startswith("brightened")
    assert found.tried.index(found.found) > found.tried.index("with a margin")
    np.testing.assert_allclose(found.faces[0].bbox, expected.bbox, atol=12)
    assert cosine(found.faces[0].embedding, expected.embedding) > 0.8


@pytest.mark.skipif(not insightface_engine.is_installed(), reason="insightface is optional")
def test_both_engines_find_the_same_in_the_dark(engine):
    picture = in_the_dark()
    theirs = insightface_engine.load_engine(PACK, "CPU")

    (mine,), (other,) = (find_faces(one, picture, Search()).faces for one in (engine, theirs))

    np.testing.assert_allclose(other.bbox, mine.bbox, atol=1)
    assert cosine(mine.embedding, other.embedding) > 0.9999


def test_pictures_in_good_light_and_black_ones_are_left_as_they_are():
    black = np.full((64, 64, 3), 5, np.uint8)

    assert [is_dim(picture) for picture in (ben(), ben() // 4 * 3, black)] == [False] * 3
    assert np.array_equal(well_lit(ben() // 4 * 3, ben()), ben() // 4 * 3)
    assert is_dim(in_the_dark())


def test_a_lamp_in_the_dark_does_not_count():
    picture = in_the_dark()
    picture[:60, :60] = 255

    assert is_dim(picture)
    assert brightest(picture) < 60


def test_a_face_in_the_dark_is_brightened_as_its_picture_is_and_a_shaded_one_in_the_light_by_itself():
    face = np.tile(np.arange(8, 28, dtype=np.uint8)[:, None, None], (1, 20, 3))
    dark = np.tile(np.arange(0, 50, dtype=np.uint8)[:, None, None], (1, 50, 3))

    assert well_lit(face, dark).max() == pytest.approx(27 * 255 / 48, abs=8)
    assert well_lit(face, ben()).max() == 255


def test_brightening_keeps_colours_and_black():
    ramp = np.arange(51, dtype=np.uint8)[None, :, None] * np.array([1, 1, 0], np.uint8)

    bright = brightened(np.repeat(ramp, 8, 0))

    assert bright[0, 0].tolist() == [0, 0, 0]
    assert bright.max() == 255
    assert (bright[..., 0] == bright[..., 1]).all()
    assert not bright[..., 2].any()


def test_brightened_looks_are_taken_in_the_dark_alone_after_sizes_and_margin():
    usual, dim = (list(fallback_passes((256, 256), (512, 512), dark)) for dark in (False, True))

    assert not any(look.bright for look in usual)
    assert len(dim) == len(usual) + 3
    first = [look.bright for look in dim].index(True)
    assert dim[first - 1].margin > 0
    assert all(look.degrees == 0 for look in dim[:first])
    assert any(look.degrees and not look.bright for look in dim)
