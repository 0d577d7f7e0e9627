"""Faces in poor light: found and recognised by their stretched contrast, and nothing else is changed."""

import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face import insightface_engine, onnx_engine
from pack.face.engine import ONE_LOOK, Search
from pack.face.light import is_dim, levels, stretched, well_lit
from pack.face.looks import looks
from pack.face.pack import read_pack
from pack.face.search import find_faces
from pack.scripts.bootstrap.places import ROOT

PACK = read_pack("troupe-demo", ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo")
POOR = {"dark": (1 / 7, 0), "washed out": (1 / 6, 160)}


@pytest.fixture(scope="module")
def engine():
    return onnx_engine.load_engine(PACK, "CPU")


def ben():
    return (photo_of("Ben", 512).numpy() * 255).round().astype(np.uint8)


def in_poor_light(light):
    factor, haze = POOR[light]
    noise = np.random.default_rng(4).normal(0, 3, (512, 512, 3))
    return (ben() * factor + haze + noise).clip(0, 255).round().astype(np.uint8)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("light", POOR)
def test_a_face_in_poor_light_is_found_and_recognised_and_the_words_say_how(engine, light):
    (expected,) = find_faces(engine, ben(), Search()).faces
    picture = in_poor_light(light)

    assert find_faces(engine, picture, ONE_LOOK).faces == []
    found = find_faces(engine, picture, Search())

    assert found.found.startswith("brightened")
    assert found.tried.index(found.found) > found.tried.index("with a margin")
    np.testing.assert_allclose(found.faces[0].bbox, expected.bbox, atol=12)
    assert cosine(found.faces[0].embedding, expected.embedding) > 0.6


@pytest.mark.skipif(not insightface_engine.is_installed(), reason="insightface is optional")
def test_both_engines_find_the_same_in_the_dark(engine):
    picture = in_poor_light("dark")
    theirs = insightface_engine.load_engine(PACK, "CPU")

    (mine,), (other,) = (find_faces(one, picture, Search()).faces for one in (engine, theirs))

    np.testing.assert_allclose(other.bbox, mine.bbox, atol=1)
    assert cosine(mine.embedding, other.embedding) > 0.9999


def test_pictures_in_good_light_and_flat_ones_are_left_as_they_are():
    flat = np.full((64, 64, 3), 30, np.uint8)

    assert [is_dim(picture) for picture in (ben(), ben() // 4 * 3, flat)] == [False] * 3
    assert np.array_equal(well_lit(ben() // 4 * 3, ben()), ben() // 4 * 3)
    assert [is_dim(in_poor_light(light)) for light in POOR] == [True] * 2


def test_a_lamp_in_the_dark_does_not_count():
    picture = in_poor_light("dark")
    picture[:60, :60] = 255

    assert is_dim(picture)
    assert levels(picture)[1] < 60


def test_a_face_in_the_dark_is_brightened_as_its_picture_is_and_a_shaded_one_in_the_light_by_itself():
    face = np.tile(np.arange(8, 28, dtype=np.uint8)[:, None, None], (1, 20, 3))
    dark = np.tile(np.arange(0, 50, dtype=np.uint8)[:, None, None], (1, 50, 3))

    assert well_lit(face, dark).max() == pytest.approx(27 * 255 / 48, abs=6)
    assert well_lit(face, ben()).max() == 255


def test_stretching_spreads_the_shades_and_keeps_colours():
    ramp = np.repeat(np.arange(100, 151, dtype=np.uint8)[None, :, None], 3, 2).repeat(8, 0)

    bright = stretched(ramp)

    assert (bright.min(), bright.max()) == (0, 255)
    assert (np.diff(bright[0, :, 0].astype(int)) >= 0).all()
    assert np.ptp(bright, axis=2).max() == 0


def test_brightened_looks_are_taken_in_poor_light_alone_after_sizes_and_margin():
    usual, dim = (list(looks((256, 256), (512, 512), dark)) for dark in (False, True))

    assert not any(look.bright for look in usual)
    assert len(dim) == len(usual) + 3
    first = [look.bright for look in dim].index(True)
    assert dim[first - 1].margin > 0
    assert all(look.degrees == 0 for look in dim[:first])
    assert any(look.degrees and not look.bright for look in dim)
